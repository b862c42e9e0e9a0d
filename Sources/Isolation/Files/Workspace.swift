internal import Glibc
internal import IsolationProtocol
internal import LinuxKernel

/// The files below `/workspace` of a one-shot sandbox, as the isolator reaches them: by descriptors, beneath the
/// directory of its upper layer, never through a path that a program could have changed.
struct Workspace: ~Copyable {
    /// What tells whether a file was changed.
    private struct Stamp: Equatable {
        let inode: UInt64
        let size: Int64
        let changedSeconds: Int64
        let changedNanoseconds: Int64
    }

    private let directory: Descriptor
    private let owner: UInt32
    private var inputs: [String: Stamp] = [:]

    /// The workspace on that disk, before a program has run.
    init(disk: SharedDescriptor, slot: UserSlot) throws(SandboxError) {
        directory = try step(.workspace) { () throws(SystemCallError) in
            try Files.open(
                "upper/workspace", [.readOnly, .directory], resolve: [.beneath, .noSymlinks], at: disk.rawValue)
        }
        owner = slot.hostProgram
    }

    /// Writes the input files. No program may be running: their directories are made by path.
    ///
    /// - Parameter root: The sandbox's own root, where a program waits: it has looked at its directory already, and the overlay
    ///   tells it of no change that is made underneath. Nil writes underneath, where nothing of a template's is in the way.
    mutating func write(
        _ files: [ExecuteCall.File], from input: CInt, through root: SharedDescriptor?
    ) throws(SandboxError) {
        for file in files {
            var parent = try step(.workspace) { () throws(SystemCallError) in
                try Files.open(
                    root == nil ? "." : "workspace", [.readOnly, .directory], resolve: [.beneath, .noSymlinks],
                    at: root?.rawValue ?? directory.rawValue)
            }
            let segments = file.path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
            for segment in segments.dropLast() {
                parent = try step(.workspace) { () throws(SystemCallError) in
                    do throws(SystemCallError) {
                        try Files.createDirectory(segment, mode: 0o755, at: parent.rawValue)
                        try Files.setOwner(segment, user: owner, group: owner, at: parent.rawValue)
                    } catch  where error.errno == EEXIST {}
                    return try Files.open(
                        segment, [.readOnly, .directory], resolve: [.beneath, .noSymlinks], at: parent.rawValue)
                }
            }
            let name = segments.last ?? ""
            try step(.workspace) { () throws(SystemCallError) in
                let out = try Files.open(
                    name, [.writeOnly, .create, .exclusive], mode: 0o644, resolve: [.beneath, .noSymlinks],
                    at: parent.rawValue)
                try Files.copy(from: input, offset: file.offset, count: file.size, to: out.rawValue)
                try Files.setOwner(of: out.rawValue, user: owner, group: owner)
            }
            // Below, as it will be looked at afterwards.
            if let status = try? Files.status(file.path, at: directory.rawValue) {
                inputs[file.path] = Workspace.stamp(status)
            }
        }
    }

    /// The files that programs made or changed. No program may be running.
    func artifacts(limits: ExecuteCall.ArtifactLimits) -> [ArtifactHandle] {
        var found: [ArtifactHandle] = []
        var total: Int64 = 0
        // A stack of relative paths instead of recursion: a hostile tree may be ten thousand deep.
        var pending = [""]
        while let path = pending.popLast(), found.count < limits.count {
            guard path.utf8.count < 3000,
                let parent = try? Files.open(
                    path.isEmpty ? "." : path, [.readOnly, .directory], resolve: [.beneath, .noSymlinks],
                    at: directory.rawValue),
                let names = try? Files.list(descriptor: parent.rawValue)
            else { continue }
            for name in names.sorted() {
                guard found.count < limits.count, let status = try? Files.status(name, at: parent.rawValue) else {
                    continue
                }
                let relative = path.isEmpty ? name : "\(path)/\(name)"
                if status.isDirectory { pending.append(relative) }
                // Regular files only; a whiteout of the overlay is a character device.
                guard status.isRegular, inputs[relative] != Workspace.stamp(status) else { continue }
                var descriptor: SharedDescriptor?
                if status.size <= limits.each, total + status.size <= limits.total,
                    let file = try? Files.open(
                        name, [.readOnly], resolve: [.beneath, .noSymlinks], at: parent.rawValue)
                {
                    descriptor = SharedDescriptor(file)
                    total += status.size
                }
                found.append(ArtifactHandle(path: relative, size: status.size, descriptor: descriptor))
            }
        }
        return found
    }

    private static func stamp(_ status: FileStatus) -> Stamp {
        Stamp(
            inode: status.inode, size: status.size, changedSeconds: status.changed.seconds,
            changedNanoseconds: status.changed.nanoseconds)
    }
}
