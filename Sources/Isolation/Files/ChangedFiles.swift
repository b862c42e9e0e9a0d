internal import Glibc
internal import IsolationProtocol
internal import LinuxKernel

/// The files below `/workspace` that changed since an execution in a persistent sandbox began.
///
/// They stay in the sandbox, so they are listed without their bytes. Of executions that run beside each other each lists
/// what any of them changed.
struct ChangedFiles {
    /// Directories and files looked at, at most: a sandbox may hold millions.
    private static let maximumEntries = 20_000

    let files: SandboxFiles
    /// What the list leaves out.
    let scratch: String?

    /// The list, with at most that many files.
    func since(seconds: Int64, nanoseconds: Int64, limit: Int) -> [ArtifactHandle] {
        let found = try? files.access("") { () throws(SystemCallError) in walk((seconds, nanoseconds), limit) }
        return found ?? []
    }

    private func walk(_ moment: (Int64, Int64), _ limit: Int) -> [ArtifactHandle] {
        var found: [ArtifactHandle] = []
        var seen = 0
        var pending = [""]
        while let path = pending.popLast(), seen < ChangedFiles.maximumEntries, found.count < limit {
            guard path.utf8.count < 3000, let directory = try? files.open(path, [.readOnly, .directory]),
                let names = try? Files.list(descriptor: directory.rawValue)
            else { continue }
            for name in names.sorted() where found.count < limit {
                seen += 1
                let relative = path.isEmpty ? name : "\(path)/\(name)"
                guard relative != scratch, let status = try? Files.status(name, at: directory.rawValue) else {
                    continue
                }
                if status.isDirectory { pending.append(relative) }
                guard status.isRegular, (status.changed.seconds, status.changed.nanoseconds) >= moment else {
                    continue
                }
                found.append(ArtifactHandle(path: relative, size: status.size, descriptor: nil))
            }
        }
        return found
    }
}
