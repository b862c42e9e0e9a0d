internal import Glibc
internal import IsolationProtocol
internal import LinuxKernel

/// One cell that a context is to run: a directory in the sandbox with its text and four FIFOs.
///
/// The context opens them for writing; the reading ends of three go to the caller, so that output never passes through
/// this process, and the end of the fourth says that the cell has ended, or its context.
struct ContextCell {
    private static let fifos = ["out", "err", "results", "done"]

    private let files: SandboxFiles
    private let name: String
    /// The reading ends of output, errors and results.
    let streams: [SharedDescriptor]
    /// Says when the cell has ended, or its context.
    let done: SharedDescriptor
    /// Writing ends of the three that the caller reads: until the context has opened them there would be no writer, and a
    /// FIFO without one reads as ended.
    private let writers: [SharedDescriptor]

    /// The directory as the context finds it.
    var path: String { "/tmp/.soulbox/\(name)" }

    /// Makes the directory; `write` writes the cell's text.
    ///
    /// - Parameter restored: Names the restore that made the sandbox what it is: the context seeds anew after each.
    init(
        _ files: SandboxFiles, restored: String?, _ write: (CInt) throws(SystemCallError) -> Void
    ) throws(IsolationError) {
        self.files = files
        let name = SandboxFiles.stagingName()
        self.name = name
        let ends = try files.access("") { () throws(SystemCallError) in
            try ContextCell.make(files, name, restored: restored, write)
        }
        streams = Array(ends.readers.prefix(3))
        done = ends.readers[3]
        writers = ends.writers
    }

    private static func make(
        _ files: SandboxFiles, _ name: String, restored: String?, _ write: (CInt) throws(SystemCallError) -> Void
    ) throws(SystemCallError) -> (readers: [SharedDescriptor], writers: [SharedDescriptor]) {
        let staging = try files.stagingDirectory()
        try Files.createDirectory(name, mode: 0o700, at: staging.rawValue)
        let directory = try files.open(name, [.readOnly, .directory], in: staging)
        let code = try Files.open(
            "code", [.writeOnly, .create, .exclusive, .noFollow], mode: 0o600, at: directory.rawValue)
        try write(code.rawValue)
        if let restored {
            let file = try Files.open(
                "restored", [.writeOnly, .create, .exclusive, .noFollow], mode: 0o600, at: directory.rawValue)
            try Files.write(to: file.rawValue, Array(restored.utf8))
        }
        var readers: [SharedDescriptor] = []
        var writers: [SharedDescriptor] = []
        for fifo in fifos {
            try Files.makeFIFO(fifo, mode: 0o600, at: directory.rawValue)
            // Before anybody writes: the context's open does not wait then.
            readers.append(SharedDescriptor(try files.open(fifo, .readOnly, in: directory)))
            guard fifo != "done" else { continue }
            writers.append(SharedDescriptor(try files.open(fifo, .writeOnly, in: directory)))
        }
        return (readers, writers)
    }

    /// Whether the context has said that the cell has ended; one that has died has not.
    var isComplete: Bool { (try? Files.read(from: done.rawValue, count: 1)) == [UInt8(ascii: ".")] }

    /// Removes the directory.
    func remove() { try? files.removeTemporary(".soulbox/\(name)") }
}
