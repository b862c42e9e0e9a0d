internal import Glibc
internal import IsolationProtocol
internal import LinuxKernel
internal import SoulBoxModel

extension SandboxFiles {
    /// What stands at a path below `/workspace`; links are followed within the sandbox.
    func entry(_ path: String) throws(IsolationError) -> FileEntry {
        try access(path) { () throws(SystemCallError) in
            let file = try open(path, [.path])
            return SandboxFiles.entry(path, try Files.status(of: file.rawValue))
        }
    }

    /// Opens a regular file for reading. A FIFO would be opened without waiting for its other end, and is refused.
    func read(_ path: String) throws(IsolationError) -> (entry: FileEntry, descriptor: SharedDescriptor) {
        let (status, descriptor) = try access(path) { () throws(SystemCallError) in
            // First as a mere place: opening a FIFO or a device for reading does something.
            let place = try open(path, [.path])
            guard try Files.status(of: place.rawValue).isRegular else {
                throw SystemCallError(call: "openat2", errno: EISDIR)
            }
            let file = try open(path, [.readOnly])
            let status = try Files.status(of: file.rawValue)
            guard status.isRegular else { throw SystemCallError(call: "openat2", errno: EISDIR) }
            return (status, SharedDescriptor(file))
        }
        return (SandboxFiles.entry(path, status), descriptor)
    }

    /// What stands in a directory below `/workspace`, with what is below that when `recursive`; and whether there is
    /// more than `limit`. Links are listed and not followed.
    func list(
        _ path: String, recursive: Bool, limit: Int
    ) throws(IsolationError) -> (entries: [FileEntry], isComplete: Bool) {
        try access(path) { () throws(SystemCallError) in
            // The first one may be a link; those below it are not followed.
            try walk(path, try open(path, [.readOnly, .directory]), recursive: recursive, limit: limit)
        }
    }

    private func walk(
        _ path: String, _ first: consuming Descriptor, recursive: Bool, limit: Int
    ) throws(SystemCallError) -> ([FileEntry], Bool) {
        var entries: [FileEntry] = []
        // Paths and not descriptors: a tree may be wider than the process may open files.
        var pending: [String] = []
        var directory = SharedDescriptor(first)
        var prefix = path
        while true {
            for name in try Files.list(descriptor: directory.rawValue).sorted() {
                // Gone since, or with a name that is no UTF-8 and so none that could be asked for.
                guard let status = try? Files.status(name, at: directory.rawValue) else { continue }
                guard entries.count < limit else { return (entries, false) }
                let below = prefix.isEmpty ? name : "\(prefix)/\(name)"
                var entry = SandboxFiles.entry(below, status)
                if status.isLink { entry.target = try? Files.readLink(name, at: directory.rawValue) }
                entries.append(entry)
                if recursive, status.isDirectory, below.utf8.count < 3500 { pending.append(below) }
            }
            while true {
                guard !pending.isEmpty else { return (entries, true) }
                prefix = pending.removeFirst()
                if let next = try? openBelow(prefix) {
                    directory = next
                    break
                }
            }
        }
    }

    private func openBelow(_ path: String) throws(SystemCallError) -> SharedDescriptor {
        SharedDescriptor(try open(path, [.readOnly, .directory]))
    }

    /// Makes a directory with those above it; one that is there is no error.
    func makeDirectory(_ path: String, following: Bool = true) throws(IsolationError) -> FileEntry {
        try access(path) { () throws(SystemCallError) in
            let directory = try makeDirectories(path.split(separator: "/").map(String.init), following: following)
            return SandboxFiles.entry(path, try Files.status(of: directory.rawValue))
        }
    }

    /// Makes a symbolic link, wherever it leads; no link on the way to it is followed.
    func makeLink(_ path: String, to target: String) throws(IsolationError) {
        try access(path) { () throws(SystemCallError) in
            let place = try parent(of: path, creating: true, following: false)
            try Files.makeSymbolicLink(place.name, to: target, at: place.directory.rawValue)
        }
    }

    /// Makes everything written to the sandbox's disk last.
    func synchronize() throws(IsolationError) {
        try access("") { () throws(SystemCallError) in
            let directory = try open("", [.readOnly, .directory])
            try Files.synchronizeFilesystem(directory.rawValue)
        }
    }

    /// Gives a file or a directory another name.
    func move(_ path: String, to target: String, replacing: Bool) throws(IsolationError) -> FileEntry {
        try access(path) { () throws(SystemCallError) in
            let from = try parent(of: path, creating: false)
            let to = try parent(of: target, creating: true)
            try Files.rename(
                from.name, at: from.directory.rawValue, to: to.name, at: to.directory.rawValue,
                keepingTarget: !replacing)
            return SandboxFiles.entry(target, try Files.status(to.name, at: to.directory.rawValue))
        }
    }

    /// Removes a file or a link; a directory with what is in it only when `recursive`.
    func remove(_ path: String, recursive: Bool) throws(IsolationError) {
        try access(path) { () throws(SystemCallError) in
            let place = try parent(of: path, creating: false)
            let status = try Files.status(place.name, at: place.directory.rawValue)
            if recursive, status.isDirectory {
                try Files.removeTree(place.name, at: place.directory.rawValue)
            } else {
                try Files.remove(place.name, at: place.directory.rawValue, isDirectory: status.isDirectory)
            }
        }
    }

    static func entry(_ path: String, _ status: FileStatus) -> FileEntry {
        func moment(_ moment: FileStatus.Moment) -> Timestamp {
            Timestamp(microseconds: moment.seconds * 1_000_000 + moment.nanoseconds / 1000)
        }
        let kind: FileEntry.Kind =
            status.isRegular ? .file : status.isDirectory ? .directory : status.isLink ? .link : .other
        let tag = [
            Int64(bitPattern: status.inode), status.size, status.changed.seconds, status.changed.nanoseconds,
        ].map { String($0, radix: 36) }.joined(separator: "-")
        return FileEntry(
            path: path, kind: kind, size: status.size, mode: Int(status.mode & 0o7777),
            modifiedAt: moment(status.modified), createdAt: moment(min(status.modified, status.changed)), tag: tag)
    }
}
