internal import Glibc
internal import LinuxKernel

/// Copies a tree that strangers made, and of it only what a sandbox can use.
///
/// Files, directories and symbolic links come along, with their names, contents and times. Everything belongs to root and
/// is readable by all; set-id bits, extended attributes (file capabilities among them), devices, FIFOs and sockets stay
/// behind. No link is followed, neither here nor there.
struct TreeCopy {
    /// What a copy came to.
    struct Count: Equatable {
        var entries = 0
        var bytes: Int64 = 0
        /// Devices, FIFOs, sockets, and names that are no UTF-8.
        var leftOut = 0
    }

    /// A tree that is larger than it may be, or deeper.
    enum Refusal: Error, Equatable {
        case tooManyEntries
        case tooManyBytes
        case tooDeep
        case failed(SystemCallError)
    }

    /// How many entries a tree may have.
    var maximumEntries = 1_000_000
    /// How many bytes its files may have.
    let maximumBytes: Int64
    /// How deep it may be.
    var maximumDepth = 128

    private var count = Count()
    /// Files with several names, by inode, and the first of those names in the target.
    private var linked: [UInt64: String] = [:]

    init(maximumBytes: Int64) { self.maximumBytes = maximumBytes }

    /// Copies everything below `source` into `target`, an empty directory of ours alone.
    mutating func run(from source: borrowing RootDirectory, to target: borrowing RootDirectory) throws(Refusal) -> Count
    {
        count = Count()
        linked = [:]
        let root = target.descriptor.rawValue
        try copy(source.descriptor.rawValue, to: root, path: "", root: root, depth: 0)
        return count
    }

    private mutating func copy(
        _ source: CInt, to target: CInt, path: String, root: CInt, depth: Int
    ) throws(Refusal) {
        guard depth < maximumDepth else { throw .tooDeep }
        do {
            for name in try Files.list(descriptor: source) {
                count.entries += 1
                guard count.entries <= maximumEntries else { throw Refusal.tooManyEntries }
                let status: FileStatus
                do throws(SystemCallError) {
                    status = try Files.status(name, at: source)
                } catch {
                    // A name that is no UTF-8 was repaired, and the repaired one does not exist.
                    guard error.errno == ENOENT, name.unicodeScalars.contains("\u{FFFD}") else { throw error }
                    count.leftOut += 1
                    continue
                }
                if status.isDirectory {
                    try Files.createDirectory(name, mode: 0o755, at: target)
                    let from = try Files.open(name, [.readOnly, .directory, .noFollow], at: source)
                    let to = try Files.open(name, [.readOnly, .directory, .noFollow], at: target)
                    try copy(
                        from.rawValue, to: to.rawValue, path: "\(path)\(name)/", root: root, depth: depth + 1)
                    try Files.setMode(of: to.rawValue, 0o755)
                } else if status.isLink {
                    try Files.makeSymbolicLink(name, to: try Files.readLink(name, at: source), at: target)
                } else if status.isRegular {
                    try copyFile(name, status, from: source, to: target, path: path + name, root: root)
                } else {
                    count.leftOut += 1
                }
            }
        } catch let error as Refusal {
            throw error
        } catch let error as SystemCallError {
            throw .failed(error)
        } catch {
            throw .failed(SystemCallError(call: "copy", errno: EIO))
        }
    }

    private mutating func copyFile(
        _ name: String, _ status: FileStatus, from source: CInt, to target: CInt, path: String, root: CInt
    ) throws {
        if status.links > 1, let first = linked[status.inode] {
            try Files.makeHardLink(first, at: root, to: name, at: target)
            return
        }
        count.bytes += status.size
        guard count.bytes <= maximumBytes else { throw Refusal.tooManyBytes }
        let from = try Files.open(name, [.readOnly, .noFollow, .nonBlocking], at: source)
        let mode: UInt32 = status.mode & 0o111 == 0 ? 0o644 : 0o755
        let to = try Files.open(name, [.writeOnly, .create, .exclusive, .noFollow], mode: mode, at: target)
        try Files.copy(from: from.rawValue, offset: 0, count: Int(status.size), to: to.rawValue)
        try Files.setMode(of: to.rawValue, mode)
        // What an interpreter compiled before is good only for the time that its source had then.
        try Files.setModified(of: to.rawValue, status.modified)
        if status.links > 1 { linked[status.inode] = path }
    }
}
