import CInit

/// A program that belongs to nobody's connection: PID 1 holds its pipes and keeps what it wrote last.
struct BackgroundProcess {
    /// Bytes of output that are kept; older ones are dropped.
    static let kept = 192 << 10
    private static let chunkSize = 16 << 10

    /// A piece of output.
    struct Chunk {
        /// 1 for standard output, 2 for standard error.
        let stream: UInt32
        /// How many bytes of both streams came before.
        let offset: UInt64
        let bytes: [UInt8]
    }

    /// Its process in this namespace.
    let pid: pid_t
    /// The number of its cgroup's leaf, for the isolator.
    let leaf: UInt32
    /// When it was started, in microseconds since 1970.
    let startedAt: UInt64
    /// Its arguments, each with a NUL.
    let arguments: [UInt8]
    /// Where its input goes; -1 once it is closed.
    var input: Int32
    /// Where its output comes from; -1 once it has ended.
    var output: Int32
    var errors: Int32
    /// The status of wait(2), once it has ended.
    var status: Int32?
    private(set) var chunks: [Chunk] = []
    private(set) var total: UInt64 = 0
    private var held = 0

    init(pid: pid_t, leaf: UInt32, arguments: [UInt8], input: Int32, output: Int32, errors: Int32) {
        self.pid = pid
        self.leaf = leaf
        self.arguments = arguments
        self.input = input
        self.output = output
        self.errors = errors
        startedAt = init_now()
    }

    /// Whether nothing more can come of it.
    var isOver: Bool { status != nil && output < 0 && errors < 0 }

    /// Keeps what one of its streams has; false at the stream's end.
    mutating func read(_ descriptor: Int32, stream: UInt32, _ buffer: UnsafeMutableRawBufferPointer) -> Bool {
        let count = init_read(descriptor, buffer.baseAddress, min(buffer.count, BackgroundProcess.chunkSize))
        if count == -11 { return true }
        guard count > 0 else { return false }
        chunks.append(Chunk(stream: stream, offset: total, bytes: [UInt8](buffer[..<count])))
        total += UInt64(count)
        held += count
        while held > BackgroundProcess.kept, let first = chunks.first {
            held -= first.bytes.count
            chunks.removeFirst()
        }
        return true
    }

    /// The first piece that is kept and ends after an offset.
    func chunk(after offset: UInt64) -> Chunk? {
        for chunk in chunks where chunk.offset + UInt64(chunk.bytes.count) > offset { return chunk }
        return nil
    }

    /// Closes what is left of its pipes.
    mutating func close() {
        for descriptor in [input, output, errors] where descriptor >= 0 { init_close(descriptor) }
        input = -1
        output = -1
        errors = -1
    }
}
