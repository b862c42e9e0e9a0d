internal import Glibc
internal import LinuxKernel

/// What a compiler has made: the files of the build directory one after the other in one file of ours, and what it wrote.
struct CompiledProgram: Sendable {
    /// One of its files.
    struct File: Sendable {
        /// Path below the build directory.
        let path: String
        let isExecutable: Bool
        let offset: Int
        let size: Int
    }

    /// The most files and bytes that are kept of one program.
    private static let maximumFiles = 512
    private static let maximumBytes: Int64 = 32 << 20

    /// Where the bytes are.
    let contents: SharedDescriptor
    let directories: [String]
    let files: [File]
    /// What the compiler wrote.
    let output: [UInt8]
    /// Bytes of all files.
    let size: Int

    /// Copies the build directory of a sandbox in which no program runs; nil when it holds what is not kept.
    ///
    /// - Parameters:
    ///   - disk: The root of the sandbox's disk, whose directory `upper` holds what programs have written.
    ///   - target: An empty file of ours.
    init?(of disk: SharedDescriptor, into target: SharedDescriptor, output: [UInt8]) {
        let build = "upper" + CommandLine.buildDirectory
        var files: [File] = []
        var directories: [String] = []
        var size = 0
        // A stack of relative paths: the tree is a user's, and may be of any depth.
        var pending = [""]
        while let path = pending.popLast() {
            guard
                let directory = try? Files.open(
                    path.isEmpty ? build : "\(build)/\(path)", [.readOnly, .directory],
                    resolve: [.beneath, .noSymlinks], at: disk.rawValue),
                let names = try? Files.list(descriptor: directory.rawValue)
            else { return nil }
            for name in names.sorted() {
                guard let status = try? Files.status(name, at: directory.rawValue),
                    files.count + directories.count < CompiledProgram.maximumFiles
                else { return nil }
                let relative = path.isEmpty ? name : "\(path)/\(name)"
                if status.isDirectory {
                    directories.append(relative)
                    pending.append(relative)
                    continue
                }
                guard status.isRegular, Int64(size) + status.size <= CompiledProgram.maximumBytes,
                    let file = try? Files.open(
                        name, [.readOnly], resolve: [.beneath, .noSymlinks], at: directory.rawValue),
                    (try? Files.copy(
                        from: file.rawValue, offset: 0, count: Int(status.size), to: target.rawValue)) != nil
                else { return nil }
                files.append(
                    File(
                        path: relative, isExecutable: status.mode & 0o100 != 0, offset: size, size: Int(status.size)))
                size += Int(status.size)
            }
        }
        guard !files.isEmpty else { return nil }
        contents = target
        self.files = files
        self.directories = directories
        self.output = output
        self.size = size
    }

    /// Puts the build directory into a sandbox in which nothing has run, through its own root.
    func install(in sandbox: Sandbox) throws(SandboxError) {
        let owner = sandbox.slot.hostProgram
        try step(.workspace) { () throws(SystemCallError) in
            let build = String(CommandLine.buildDirectory.dropFirst())
            for path in [build] + directories.map({ "\(build)/\($0)" }) {
                let (parent, name) = try CompiledProgram.parent(of: path, in: sandbox)
                try Files.createDirectory(name, mode: 0o755, at: parent.rawValue)
                try Files.setOwner(name, user: owner, group: owner, at: parent.rawValue)
            }
            for file in files {
                let (parent, name) = try CompiledProgram.parent(of: "\(build)/\(file.path)", in: sandbox)
                let out = try Files.open(
                    name, [.writeOnly, .create, .exclusive], mode: file.isExecutable ? 0o755 : 0o644,
                    resolve: [.beneath, .noSymlinks], at: parent.rawValue)
                try Files.copy(from: contents.rawValue, offset: file.offset, count: file.size, to: out.rawValue)
                try Files.setOwner(of: out.rawValue, user: owner, group: owner)
            }
        }
    }

    private static func parent(
        of path: String, in sandbox: Sandbox
    ) throws(SystemCallError) -> (SharedDescriptor, String) {
        let segments = path.split(separator: "/")
        let directory = try Files.open(
            segments.dropLast().joined(separator: "/"), [.readOnly, .directory], resolve: [.beneath, .noSymlinks],
            at: sandbox.root.rawValue)
        return (SharedDescriptor(directory), String(segments.last ?? ""))
    }
}
