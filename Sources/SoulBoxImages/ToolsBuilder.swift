internal import Glibc
internal import LinuxKernel

/// Builds the tools image: packages unpacked into a root of their own that nothing is ever run in, and only read from.
public struct ToolsBuilder: Sendable {
    private static let tail = 20

    private let directory: String
    private let mirror: AptMirror
    private let progress: @Sendable (String) -> Void

    /// A builder below a catalogue's directory.
    public init(
        catalogue directory: String, mirror: AptMirror, progress: @escaping @Sendable (String) -> Void
    ) {
        self.directory = "\(directory)/tools"
        self.mirror = mirror
        self.progress = progress
    }

    /// Builds it unless it is there, and makes it the current one.
    public func build(_ recipe: ToolsRecipe, rebuild: Bool) throws(ImageError) {
        guard geteuid() == 0 else {
            throw ImageError("images are built by root only", advice: "Run the command as root.")
        }
        umask(0o022)
        let name = String(recipe.hash.prefix(16))
        do {
            try Files.makeDirectory(directory, mode: 0o755)
            try ImageLock.hold(directory, waiting: { progress("waiting for another build to end") }) {
                () throws(ImageError) in
                if rebuild || !Files.exists("\(directory)/\(name)/rootfs/usr/sbin/criu") {
                    try install(recipe, as: name)
                }
            }
            try makeCurrent(name)
        } catch let error as ImageError {
            throw error
        } catch {
            throw ImageError("\(directory): \(error)", advice: "Check that the disk has room.")
        }
        progress("image tools: present (\(name))")
    }

    private func install(_ recipe: ToolsRecipe, as name: String) throws(ImageError) {
        let temporary = "\(directory)/.new-\(name)"
        var tail: [String] = []
        do {
            try Files.removeTree(temporary)
            try Files.makeDirectory(temporary, mode: 0o755)
            progress("image tools: installing \(recipe.install.joined(separator: ", "))")
            let command =
                Installation.confinement + [
                    "/usr/bin/mmdebstrap", "--variant=extract", "--mode=root", "--format=directory",
                ]
                + Installation.freshness + ["--include=\(recipe.install.joined(separator: ","))", recipe.suite]
                + ["\(temporary)/rootfs"] + mirror.lines(suite: recipe.suite, keyring: Installation.keyring)
            let status = try ChildProcess.run(
                command[0], Array(command[1...]), environment: Installation.environment()
            ) { line in
                tail.append(line)
                if tail.count > ToolsBuilder.tail { tail.removeFirst() }
            }
            guard status == .exited(0) else {
                throw ImageError(
                    "image tools: mmdebstrap failed; the end of what it said:\n\(tail.joined(separator: "\n"))",
                    advice: "Check that \(mirror.archive) can be reached and has \(recipe.suite).")
            }
            try Files.removeTree("\(directory)/\(name)")
            let here = Files.workingDirectory
            try Files.rename(temporary, at: here, to: "\(directory)/\(name)", at: here, keepingTarget: true)
        } catch let error as ImageError {
            throw error
        } catch {
            throw ImageError("image tools: \(error)", advice: "Check that the disk has room.")
        }
    }

    private func makeCurrent(_ name: String) throws(SystemCallError) {
        let link = "\(directory)/current"
        if (try? Files.readLink(link)) == name { return }
        let here = Files.workingDirectory
        try Files.removeTree(link + ".new")
        try Files.makeSymbolicLink(link + ".new", to: name, at: here)
        try Files.rename(link + ".new", at: here, to: link, at: here, keepingTarget: false)
    }
}
