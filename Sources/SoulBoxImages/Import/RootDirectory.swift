internal import LinuxKernel

/// A tree that is a root of its own: no path leads out of it, whatever links it holds (openat2(2), RESOLVE_IN_ROOT).
///
/// Links of parents are followed within the tree; the last segment of what is written or removed is never followed.
struct RootDirectory: ~Copyable {
    /// The directory itself, open for reading.
    let descriptor: Descriptor

    /// The tree at a path of the host's, or below an open directory; the last segment is no link.
    init(_ path: String, at directory: CInt = Files.workingDirectory) throws(SystemCallError) {
        descriptor = try Files.open(path, [.readOnly, .directory, .noFollow], at: directory)
    }

    /// Opens what is at a path, following links within the tree.
    func open(_ path: String, _ flags: OpenFlags) throws(SystemCallError) -> Descriptor {
        try Files.open(path, flags, resolve: [.inRoot, .noMagicLinks], at: descriptor.rawValue)
    }

    /// What is at a path, links followed within the tree; nil when there is nothing.
    func status(_ path: String) -> FileStatus? {
        guard let opened = try? open(path, .path) else { return nil }
        return try? Files.status(of: opened.rawValue)
    }

    /// The names in a directory; none where there is no directory.
    func list(_ path: String) -> [String] {
        guard let opened = try? open(path, [.readOnly, .directory]) else { return [] }
        return (try? Files.list(descriptor: opened.rawValue)) ?? []
    }

    /// The bytes of a regular file, of `maximum` at most.
    func read(_ path: String, maximum: Int) throws(SystemCallError) -> [UInt8] {
        // A FIFO would wait for its other end.
        let opened = try open(path, [.readOnly, .nonBlocking])
        let status = try Files.status(of: opened.rawValue)
        guard status.isRegular else { throw SystemCallError(call: "openat2", errno: 22) }
        guard status.size <= Int64(maximum) else { throw SystemCallError(call: "read", errno: 27) }
        return try Files.read(from: opened.rawValue, count: maximum)
    }

    /// Makes sure that there is a directory at a path, and no link: what else stood there is removed.
    func makeDirectory(_ path: String, mode: UInt32 = 0o755) throws(SystemCallError) {
        let (parent, name) = RootDirectory.split(path)
        let opened = try directory(parent)
        if let status = try? Files.status(name, at: opened.rawValue) {
            if status.isDirectory { return }
            try Files.removeTree(name, at: opened.rawValue)
        }
        try Files.createDirectory(name, mode: mode, at: opened.rawValue)
    }

    /// Removes everything in a directory, which stays; a link to one is left alone.
    func empty(_ path: String) throws(SystemCallError) {
        let (parent, name) = RootDirectory.split(path)
        guard let above = try? open(parent, [.readOnly, .directory]),
            let opened = try? Files.open(name, [.readOnly, .directory, .noFollow], at: above.rawValue)
        else { return }
        for entry in try Files.list(descriptor: opened.rawValue) {
            try Files.removeTree(entry, at: opened.rawValue)
        }
    }

    /// Removes what is at a path; nothing there is no error.
    func remove(_ path: String) throws(SystemCallError) {
        let (parent, name) = RootDirectory.split(path)
        guard let opened = try? open(parent, [.readOnly, .directory]) else { return }
        try Files.removeTree(name, at: opened.rawValue)
    }

    /// Puts a new file in the place of what is at a path.
    func write(_ path: String, _ bytes: [UInt8], mode: UInt32) throws(SystemCallError) {
        let (parent, name) = RootDirectory.split(path)
        let opened = try directory(parent)
        try Files.removeTree(name, at: opened.rawValue)
        let file = try Files.open(name, [.writeOnly, .create, .exclusive, .noFollow], mode: mode, at: opened.rawValue)
        try Files.write(to: file.rawValue, bytes)
        // The umask took its share.
        try Files.setMode(of: file.rawValue, mode)
    }

    /// Makes a link in the place of what is at a path.
    func makeLink(_ path: String, to target: String) throws(SystemCallError) {
        let (parent, name) = RootDirectory.split(path)
        let opened = try directory(parent)
        try Files.removeTree(name, at: opened.rawValue)
        try Files.makeSymbolicLink(name, to: target, at: opened.rawValue)
    }

    /// The directory that a path leads to within the tree; made, in the place of what leads nowhere, when it is missing.
    private func directory(_ path: String) throws(SystemCallError) -> Descriptor {
        if let found = try? open(path, [.readOnly, .directory]) { return found }
        let (parent, name) = RootDirectory.split(path)
        let above = try directory(parent)
        try Files.removeTree(name, at: above.rawValue)
        try Files.createDirectory(name, mode: 0o755, at: above.rawValue)
        return try Files.open(name, [.readOnly, .directory, .noFollow], at: above.rawValue)
    }

    /// The directory that holds the last segment, and that segment.
    private static func split(_ path: String) -> (parent: String, name: String) {
        guard let slash = path.lastIndex(of: "/") else { return (".", path) }
        return (String(path[..<slash]), String(path[path.index(after: slash)...]))
    }
}
