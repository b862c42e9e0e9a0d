internal import LinuxKernel

/// States that a sandbox changes to in one step: a restored one, and its processes on the disk.
extension SandboxDirectory {
    /// Where snapshots are, on the filesystem of the disks.
    static let snapshots = ".snapshots"

    /// What is to take the place of what is there, as a directory of the same form. It counts from `commitNext` on.
    var next: SandboxDirectory { SandboxDirectory(path: path + "/next") }

    private var marker: String { next.path + "/ready" }

    /// Where the processes of a paused sandbox are: a directory of a snapshot's form.
    var paused: SnapshotDirectory { SnapshotDirectory(path: path + "/paused") }

    /// Where they are while they are written.
    var pausing: SnapshotDirectory { SnapshotDirectory(path: path + "/paused.new") }

    private var resumed: String { path + "/paused.old" }

    /// Whether its processes are on the disk.
    var isPaused: Bool { Files.exists(paused.path) }

    /// Makes an empty directory for what is to come.
    func makeNext() throws(SystemCallError) {
        try Files.makeDirectory(path, mode: 0o700)
        try Files.removeTree(next.path)
        try Files.makeDirectory(next.path, mode: 0o700)
    }

    /// Has the disk's image on the host's disk: a rename may get there before what was written.
    func synchronizeDisk() throws(SystemCallError) {
        let file = try Files.open(disk, .readWrite, resolve: .noSymlinks)
        let raw = file.rawValue
        defer { _ = file.rawValue }
        try Files.synchronize(raw)
    }

    /// From now on what is in `next` is what counts, whatever happens to this process.
    func commitNext() throws(SystemCallError) { try Files.writeAtomically(marker, [], mode: 0o600) }

    /// Puts what is in `next` in its place. Each step can be taken twice.
    func finishNext() throws(SystemCallError) {
        let here = Files.workingDirectory
        // First: paused processes are those of the earlier state.
        try Files.removeTree(paused.path)
        for name in ["disk.ext4", "sandbox.json", "run.json"] where Files.exists("\(next.path)/\(name)") {
            try Files.rename("\(next.path)/\(name)", at: here, to: "\(path)/\(name)", at: here, keepingTarget: false)
        }
        try Files.removeTree(next.path)
    }

    /// Forgets what was to come.
    func dropNext() { try? Files.removeTree(next.path) }

    /// Ends what an earlier run of the service was in the middle of.
    func recover() throws(SystemCallError) {
        if Files.exists(marker) { try finishNext() } else { try Files.removeTree(next.path) }
        try Files.removeTree(pausing.path)
    }

    /// From now on the processes are on the disk: they end, and go on from there.
    func commitPause() throws(SystemCallError) {
        let here = Files.workingDirectory
        try Files.rename(pausing.path, at: here, to: paused.path, at: here, keepingTarget: true)
        try Files.synchronize(directory: path)
    }

    /// The processes go on.
    func beginResume() throws(SystemCallError) {
        let here = Files.workingDirectory
        try Files.rename(paused.path, at: here, to: resumed, at: here, keepingTarget: false)
    }

    /// They have gone on, or have not: what is on the disk goes, or counts again.
    func endResume(succeeded: Bool) {
        if succeeded { return (try? Files.removeTree(resumed)) ?? () }
        guard Files.exists(resumed) else { return }
        let here = Files.workingDirectory
        try? Files.rename(resumed, at: here, to: paused.path, at: here, keepingTarget: false)
    }

    /// Ends the processes of a paused sandbox.
    func dropPaused() {
        try? Files.removeTree(paused.path)
        try? Files.removeTree(resumed)
    }
}
