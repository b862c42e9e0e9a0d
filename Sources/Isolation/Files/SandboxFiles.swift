internal import Glibc
internal import IsolationProtocol
internal import LinuxKernel

/// The files of a running persistent sandbox, reached as its own program's user.
///
/// Programs may change the tree at any moment: a path is resolved once, to a descriptor, within the sandbox's root and
/// on its disk alone, and everything that follows goes by the descriptor. Since the thread has the program's identity
/// and no power over files, nothing can be reached that a program in the sandbox could not reach itself.
struct SandboxFiles: Sendable {
    /// Where files are written before they get their names; emptied when a sandbox is started or taken over.
    private static let staging = ".soulbox"

    private static let within: ResolveFlags = [.inRoot, .noMagicLinks, .sameMount]

    private let root: SharedDescriptor
    private let user: UInt32

    init(_ sandbox: Sandbox) {
        root = sandbox.root
        user = sandbox.slot.hostProgram
    }

    /// Runs `body` with the identity of the sandbox's programs; a failure is told as the API tells it.
    func access<Value>(
        _ path: String, _ body: () throws(SystemCallError) -> Value
    ) throws(IsolationError) -> Value {
        do throws(SystemCallError) {
            return try FileIdentity.with(user: user, group: user, body)
        } catch {
            throw SandboxFiles.translate(error, path)
        }
    }

    /// Opens something below `/workspace`; an empty path is that directory itself.
    func open(_ path: String, _ flags: OpenFlags, following: Bool = true) throws(SystemCallError) -> Descriptor {
        // Neither waits for the other end of a FIFO nor takes a terminal.
        try Files.open(
            path.isEmpty ? "workspace" : "workspace/\(path)", flags.union(.nonBlocking),
            resolve: following ? SandboxFiles.within : SandboxFiles.within.union(.noSymlinks), at: root.rawValue)
    }

    /// Opens something in an open directory, no link followed.
    func open(_ name: String, _ flags: OpenFlags, in directory: borrowing Descriptor) throws(SystemCallError)
        -> Descriptor
    {
        try Files.open(
            name, flags.union([.nonBlocking, .noFollow]), resolve: SandboxFiles.within, at: directory.rawValue)
    }

    /// The open directory that holds a file, and the file's name in it.
    struct Place: ~Copyable {
        let directory: Descriptor
        let name: String
    }

    /// The directory that holds a path below `/workspace`, reached through links only when `following`, made with those above it when `creating`, and its last
    /// segment.
    func parent(
        of path: String, creating: Bool, following: Bool = true
    ) throws(SystemCallError) -> Place {
        let segments = path.split(separator: "/").map(String.init)
        guard let name = segments.last else { throw SystemCallError(call: "openat2", errno: EISDIR) }
        let above = segments.dropLast().joined(separator: "/")
        do throws(SystemCallError) {
            return Place(directory: try open(above, [.readOnly, .directory], following: following), name: name)
        } catch {
            guard creating, error.errno == ENOENT else { throw error }
        }
        return Place(directory: try makeDirectories(segments.dropLast().map { $0 }, following: following), name: name)
    }

    /// Makes a directory below `/workspace` with those above it, and opens it.
    func makeDirectories(_ segments: [String], following: Bool = true) throws(SystemCallError) -> Descriptor {
        var directory = try open("", [.readOnly, .directory])
        var path = ""
        for segment in segments {
            path += (path.isEmpty ? "" : "/") + segment
            try Files.makeDirectory(segment, mode: 0o755, at: directory.rawValue)
            // By the whole path: a link to a directory of the sandbox is as good as a directory.
            directory = try open(path, [.readOnly, .directory], following: following)
        }
        return directory
    }

    /// A directory of ours on the same disk, for files that have no name yet.
    func stagingDirectory() throws(SystemCallError) -> Descriptor {
        let temporary = try Files.open("tmp", [.readOnly, .directory], resolve: SandboxFiles.within, at: root.rawValue)
        try Files.makeDirectory(SandboxFiles.staging, mode: 0o700, at: temporary.rawValue)
        return try open(SandboxFiles.staging, [.readOnly, .directory], in: temporary)
    }

    /// Removes what earlier calls that never ended left.
    func clearStaging() {
        _ = try? FileIdentity.with(user: user, group: user) { () throws(SystemCallError) in
            let temporary = try Files.open(
                "tmp", [.readOnly, .directory], resolve: SandboxFiles.within, at: root.rawValue)
            try Files.removeTree(SandboxFiles.staging, at: temporary.rawValue)
        }
    }

    /// A name that nobody has.
    static func stagingName() -> String { SandboxName.make() }

    /// Writes a file below `/workspace` whole, with the directories above it, in the place of what was there.
    func replace(
        _ path: String, _ write: (CInt) throws(SystemCallError) -> Void
    ) throws(IsolationError) {
        try access(path) { () throws(SystemCallError) in try replaceFile(path, write) }
    }

    private func replaceFile(
        _ path: String, _ write: (CInt) throws(SystemCallError) -> Void
    ) throws(SystemCallError) {
        let place = try parent(of: path, creating: true)
        let staging = try stagingDirectory()
        let temporary = SandboxFiles.stagingName()
        let file = try Files.open(
            temporary, [.writeOnly, .create, .exclusive, .noFollow], mode: 0o644, at: staging.rawValue)
        do throws(SystemCallError) {
            try write(file.rawValue)
            try Files.rename(temporary, at: staging.rawValue, to: place.name, at: place.directory.rawValue)
        } catch {
            try? Files.remove(temporary, at: staging.rawValue, isDirectory: false)
            throw error
        }
    }

    /// Removes a file or a tree below `/workspace`; nothing there is no error.
    func removeTree(_ path: String) throws(IsolationError) {
        try access(path) { () throws(SystemCallError) in
            let place = try parent(of: path, creating: false)
            try Files.removeTree(place.name, at: place.directory.rawValue)
        }
    }

    /// Removes a tree below `/tmp`; nothing there is no error.
    func removeTemporary(_ path: String) throws(IsolationError) {
        try access(path) { () throws(SystemCallError) in
            let segments = path.split(separator: "/").map(String.init)
            let directory = try Files.open(
                (["tmp"] + segments.dropLast()).joined(separator: "/"), [.readOnly, .directory],
                resolve: SandboxFiles.within, at: root.rawValue)
            try Files.removeTree(segments.last ?? "", at: directory.rawValue)
        }
    }

    /// What a failure means to whoever asked for that path.
    static func translate(_ error: SystemCallError, _ path: String) -> IsolationError {
        switch error.errno {
        case ENOENT, ENOTDIR, ELOOP, EXDEV, ENXIO, ENODEV: IsolationError(.notFound, "there is no such file")
        case ENOSPC, EDQUOT: IsolationError(.noSpace, "the sandbox's disk is full")
        case EACCES, EPERM: IsolationError(.conflict, "the sandbox's programs may not do that either")
        case EAGAIN: IsolationError(.conflict, "something on the path is being renamed")
        case EISDIR: IsolationError(.conflict, "is a directory")
        case ENOTEMPTY: IsolationError(.conflict, "the directory is not empty")
        case EEXIST: IsolationError(.conflict, "something is in its place")
        case EROFS: IsolationError(.conflict, "the sandbox's disk is read-only after an error")
        case ENAMETOOLONG, EINVAL: IsolationError(.invalidSpec, "the path cannot be used")
        default: IsolationError(.isolationFailed, "\(error)")
        }
    }
}
