internal import Glibc
internal import IsolationProtocol
internal import LinuxKernel

/// A file that is being written and has no name yet. It is gone when nobody gives it one.
final class Upload {
    private let files: SandboxFiles
    private let staging: SharedDescriptor
    private let name: String
    private let file: SharedDescriptor
    private var isNamed = false

    /// Begins a file on a sandbox's disk.
    init(_ files: SandboxFiles) throws(IsolationError) {
        self.files = files
        let name = SandboxFiles.stagingName()
        self.name = name
        (staging, file) = try files.access("") { () throws(SystemCallError) in
            let staging = SharedDescriptor(try files.stagingDirectory())
            let file = try Files.open(
                name, [.writeOnly, .create, .exclusive, .noFollow], mode: 0o644, at: staging.rawValue)
            return (staging, SharedDescriptor(file))
        }
    }

    /// Where the bytes go.
    var descriptor: CInt { file.rawValue }

    /// Gives the file its name below `/workspace`, in the place of what has that name.
    ///
    /// - Parameters:
    ///   - lasting: Whether it must be there after a power cut when this returns.
    ///   - following: Whether links on the way to it may be followed.
    func commit(
        _ path: String, mode: UInt32, lasting: Bool, following: Bool
    ) throws(IsolationError) -> FileEntry {
        let status = try files.access(path) { () throws(SystemCallError) in
            let place = try files.parent(of: path, creating: true, following: following)
            try Files.setMode(of: file.rawValue, mode)
            // What is acknowledged must be there after a power cut: first the bytes, then the name.
            if lasting { try Files.synchronize(file.rawValue) }
            try Files.rename(name, at: staging.rawValue, to: place.name, at: place.directory.rawValue)
            if lasting { try Files.synchronize(place.directory.rawValue) }
            return try Files.status(of: file.rawValue)
        }
        isNamed = true
        return SandboxFiles.entry(path, status)
    }

    deinit {
        guard !isNamed else { return }
        try? files.access("") { () throws(SystemCallError) in
            try Files.remove(name, at: staging.rawValue, isDirectory: false)
        }
    }
}
