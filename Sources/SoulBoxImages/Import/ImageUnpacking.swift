internal import Glibc
internal import LinuxKernel

/// Turns what the operator named into a layout and a tree, on a scratch disk, by programs without rights.
struct ImageUnpacking: ~Copyable {
    private let source: ImportSource
    private let argument: String
    private let reference: String?
    private let maximumBytes: Int64
    private let tools: Confinement
    private let disk: RootDirectory

    /// A place to unpack on the scratch disk that is mounted at `disk`; `directory` is one of ours.
    init(
        _ request: ImportRequest, source: ImportSource, directory: String, disk path: String, limits: Confinement.Limits
    ) throws(SystemCallError) {
        let disk = try RootDirectory(path)
        for name in ["temporary", "input"] {
            try disk.makeDirectory(name)
            try Files.setOwner(name, user: Confinement.user, group: Confinement.user, at: disk.descriptor.rawValue)
        }
        try Files.setOwner(of: disk.descriptor.rawValue, user: Confinement.user, group: Confinement.user)
        var isRemote = false
        if case .registry = source { isRemote = true }
        let tools = try Confinement(tools: directory, work: path, network: isRemote, limits: limits)
        self.source = source
        argument = request.archive
        reference = request.reference
        maximumBytes = request.maximumBytes
        self.tools = tools
        self.disk = disk
    }

    /// Brings the image into a layout of ours, digests checked, and says what it is.
    func stage() throws(ImageError) -> ContainerImage {
        let name: String
        var isRemote = false
        switch source {
        case .archive(let path, let compression): name = try unpackArchive(path, compression)
        case .layout(let path):
            try copyLayout(path)
            name = "oci:/work/input"
        case .registry(let reference):
            name = "docker://\(reference)"
            isRemote = true
        }
        var arguments = [
            "--insecure-policy", "--override-os", "linux", "--tmpdir", "/work/temporary", "copy", "--quiet",
        ]
        arguments.append("--remove-signatures")
        // Layers stay as they are. Of those that `docker save` wrote skopeo would say that they are compressed.
        if name.hasPrefix("oci:") { arguments.append("--dest-oci-accept-uncompressed-layers") }
        arguments += [reference.map { "\(name):\($0)" } ?? name, "oci:/work/layout:image"]
        let isSeveral = ["choose an image", "expected 1 item"]
        try run(
            ImportTools.skopeo, arguments, network: isRemote,
            advice: { said in
                if isSeveral.contains(where: said.contains) { return "Name one of its images with --reference." }
                return isRemote ? "Check the name, and that the registry can be reached." : ""
            })
        do {
            return try ContainerImage(layout: try RootDirectory("layout", at: disk.descriptor.rawValue))
        } catch let error as ImageError {
            throw error
        } catch {
            throw ImageError("the archive: \(error)")
        }
    }

    /// Unpacks the layers of the layout, one over the other, and copies what a sandbox can use of it to `target`.
    func unpack(to target: String) throws(ImageError) -> TreeCopy.Count {
        // Digests are checked again here: of each layer, compressed and not.
        try run(ImportTools.umoci, ["raw", "unpack", "--rootless", "--image", "/work/layout:image", "/work/tree"])
        return try copy("tree", to: target)
    }

    /// Unpacks an OCI archive; of one that `docker save` wrote, which has no layout, the file itself is what skopeo reads.
    private func unpackArchive(_ path: String, _ compression: ImportSource.Compression) throws(ImageError) -> String {
        let option = compression == .none ? [] : [compression.rawValue]
        var hasLayout = false
        var hasManifest = false
        try run(
            ImportTools.tar, option + ["--list"], input: path,
            line: { line in
                let name = line.hasPrefix("./") ? line.dropFirst(2) : line[...]
                if name == "oci-layout" { hasLayout = true }
                if name == "manifest.json" { hasManifest = true }
            })
        if hasLayout {
            let how = ["--extract", "--no-same-owner", "--no-same-permissions", "--directory", "/work/input"]
            try run(ImportTools.tar, option + how, input: path)
            return "oci:/work/input"
        }
        guard hasManifest else {
            throw ImportSource.refusal(argument, "it holds neither oci-layout nor manifest.json")
        }
        try run("/usr/bin/dd", ["of=/work/input/archive.tar", "bs=1M", "status=none"], input: path)
        return "docker-archive:/work/input/archive.tar"
    }

    private func copyLayout(_ path: String) throws(ImageError) {
        do {
            // Through the link that the operator may have named.
            let layout = try RootDirectory(path + "/.")
            let input = try RootDirectory("input", at: disk.descriptor.rawValue)
            var copy = TreeCopy(maximumBytes: maximumBytes)
            _ = try copy.run(from: layout, to: input)
        } catch let error as TreeCopy.Refusal {
            throw self.error(of: error)
        } catch {
            throw ImageError("\(path): \(error)")
        }
    }

    private func copy(_ name: String, to target: String) throws(ImageError) -> TreeCopy.Count {
        do {
            let tree = try RootDirectory(name, at: disk.descriptor.rawValue)
            let root = try RootDirectory(target)
            var copy = TreeCopy(maximumBytes: maximumBytes)
            return try copy.run(from: tree, to: root)
        } catch let error as TreeCopy.Refusal {
            throw self.error(of: error)
        } catch {
            throw ImageError("\(target): \(error)")
        }
    }

    private func error(of refusal: TreeCopy.Refusal) -> ImageError {
        switch refusal {
        case .tooManyBytes: tooLarge
        case .tooManyEntries: ImageError("\(argument) holds more than a million files")
        case .tooDeep: ImageError("\(argument) holds directories that are too deep")
        case .failed(let error): ImageError("\(argument): \(error)", advice: "Check that the disk has room.")
        }
    }

    private var tooLarge: ImageError {
        ImageError(
            "\(argument) unpacks to more than it may", advice: "Allow more with --maximum-size, if you trust it.")
    }

    /// Runs one of the programs to its end and throws unless it ended well.
    private func run(
        _ program: String, _ arguments: [String], input: String? = nil, network: Bool = false,
        advice: (String) -> String = { _ in "" }, line: (String) -> Void = { _ in }
    ) throws(ImageError) {
        let name = String(program.split(separator: "/").last ?? "")
        var tail: [String] = []
        let status: ExitStatus
        do {
            let file = try input.map { path throws(SystemCallError) in SharedDescriptor(try Files.open(path, .readOnly))
            }
            status = try tools.run(
                program, arguments,
                environment: ImportTools.environment(proxies: network ? ImageUnpacking.proxies : []),
                input: file?.rawValue, network: network
            ) { text in
                line(text)
                tail.append(text)
                if tail.count > 20 { tail.removeFirst() }
            }
        } catch {
            throw ImageError("\(name): \(error)")
        }
        if status == .exited(0) { return }
        let said = tail.joined(separator: "\n")
        if ["No space left", "no space left", "ile too large", "Wrote only", "SIGXFSZ"].contains(where: said.contains) {
            throw tooLarge
        }
        if status == .exited(128 + SIGKILL) {
            throw ImageError("\(argument): \(name) took too long or too much memory")
        }
        if said.contains("does not look like a tar archive") {
            throw ImportSource.refusal(argument, "what is compressed in it is no tar file")
        }
        throw ImageError(
            "\(argument) \(network ? "cannot be fetched" : "is damaged, or no image"): \(name) failed; "
                + "the end of what it said:\n\(said)",
            advice: advice(said))
    }

    private static var proxies: [String] {
        ["http_proxy", "https_proxy", "no_proxy"].compactMap { (name: String) -> String? in
            getenv(name).map { "\(name)=\(String(cString: $0))" }
        }
    }
}
