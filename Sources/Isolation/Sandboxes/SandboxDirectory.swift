internal import Glibc
internal import IsolationProtocol
internal import LinuxKernel
internal import SoulBoxModel

/// The directory of one persistent sandbox: `sandbox.json`, `disk.ext4` and, while it runs, `run.json`.
///
/// `sandbox.json` is written last when a sandbox is made and removed first when it goes: a directory without it is
/// something half-made, and is removed at the next start.
struct SandboxDirectory: Sendable {
    /// Where the images of users' templates are, beside the sandboxes whose disks they were: a disk is moved there. No
    /// sandbox's name begins with a dot.
    static let templates = ".templates"

    /// Where disks stand ready; what is there at a start of the service goes, as everything that is no sandbox.
    static let readyDisks = ".disks"

    /// Where it is.
    let path: String

    /// The disk.
    var disk: String { path + "/disk.ext4" }

    private var recordFile: String { path + "/sandbox.json" }
    private var runFile: String { path + "/run.json" }

    /// Whether there is a sandbox, readable or not.
    var holdsSandbox: Bool { Files.exists(recordFile) }

    /// Makes the directory with a formatted disk of that size; the record makes it a sandbox.
    func make(_ record: SandboxRecord, from disks: ReadyDisks) throws(SandboxError) {
        try step(.stageDisk) { () throws(SystemCallError) in
            try Files.removeTree(path)
            try Files.makeDirectory(path, mode: 0o700)
        }
        if !disks.take(bytes: record.limits.diskBytes, to: disk) {
            try SandboxDirectory.format(disk, bytes: record.limits.diskBytes)
        }
        try write(record)
    }

    /// Makes the directory with a disk that stands elsewhere, in use or not; the record makes it a sandbox.
    func make(from disk: String) throws(SandboxError) {
        try step(.stageDisk) { () throws(SystemCallError) in
            try Files.removeTree(path)
            try Files.makeDirectory(path, mode: 0o700)
            let here = Files.workingDirectory
            try Files.rename(disk, at: here, to: self.disk, at: here, keepingTarget: true)
        }
    }

    /// Makes a file with an empty filesystem of that size in it.
    static func format(_ path: String, bytes: Int64) throws(SandboxError) {
        try step(.stageDisk) { () throws(SystemCallError) in
            let file = try Files.open(path, [.readWrite, .create, .exclusive], mode: 0o600)
            try Files.setSize(of: file.rawValue, bytes)
            try ExtendedFilesystem.make(in: path)
            try Files.synchronize(file.rawValue)
        }
    }

    /// Writes the record, whole or not at all.
    func write(_ record: SandboxRecord) throws(SandboxError) {
        try step(.stageDisk) { () throws(SystemCallError) in
            try Files.writeAtomically(recordFile, record.json.bytes, mode: 0o600)
        }
    }

    /// The record; nil when it cannot be read.
    func record() -> SandboxRecord? {
        guard let bytes = try? Files.read(recordFile), let json = try? JSONParser.parse(bytes) else { return nil }
        return SandboxRecord(json: json)
    }

    /// Notes how a running sandbox is found again; nil when it no longer runs.
    func write(_ run: SandboxRun?) throws(SandboxError) {
        try step(.supervise) { () throws(SystemCallError) in
            if let run {
                // Whole or not at all for whoever comes after this process. It need not outlast the host, on which nothing
                // of it runs after a restart, and so nobody waits for the disk.
                let temporary = runFile + ".new"
                try Files.removeTree(temporary)
                let file = try Files.open(temporary, [.writeOnly, .create, .exclusive], mode: 0o600)
                try Files.write(to: file.rawValue, run.json.bytes)
                let here = Files.workingDirectory
                try Files.rename(temporary, at: here, to: runFile, at: here, keepingTarget: false)
            } else {
                try Files.removeTree(runFile)
            }
        }
    }

    /// How it ran last: nil when it was not running, or when the file cannot be read.
    func run() -> SandboxRun? {
        guard let bytes = try? Files.read(runFile), let json = try? JSONParser.parse(bytes) else { return nil }
        return SandboxRun(json: json, id: String(path.split(separator: "/").last ?? ""))
    }

    /// Grows the disk's file, and the filesystem in it, which nobody has mounted.
    func growDisk(to bytes: Int64) throws(SandboxError) {
        try step(.stageDisk) { () throws(SystemCallError) in
            let file = try Files.open(disk, .readWrite, resolve: .noSymlinks)
            try Files.setSize(of: file.rawValue, bytes)
            try ExtendedFilesystem.grow(in: disk)
        }
    }

    /// Waits until no loop device stands for the disk any more; false when that takes longer.
    ///
    /// Mounted twice, the disk would be destroyed.
    func awaitDisk(lastDevice: Int32?, seconds: UInt64 = 10) -> Bool {
        let deadline = MonotonicClock.now + seconds * 1_000_000_000
        while true {
            let isBusy = lastDevice.map { LoopDevice.file(behind: $0) == disk } ?? !LoopDevice.devices(of: disk).isEmpty
            if !isBusy { return true }
            if MonotonicClock.now >= deadline { return false }
            usleep(1000)
        }
    }

    /// Removes everything of the sandbox.
    func remove() throws(SandboxError) {
        try step(.removal) { () throws(SystemCallError) in
            try Files.removeTree(recordFile)
            try Files.removeTree(path)
        }
    }
}
