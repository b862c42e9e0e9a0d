internal import LinuxKernel

/// The pipes of one execution: the ends that are read here, and the ends that go to the isolation service.
struct ExecutionStreams {
    private(set) var stdout: CapturedStream
    private(set) var stderr: CapturedStream
    let compile: CapturedStream?
    /// The rich results of a cell.
    private(set) var results: CapturedStream?
    private let limit: Int
    /// Bytes of results that are kept.
    private static let resultsLimit = 32 << 20

    init(stdout: CapturedStream, stderr: CapturedStream, compile: CapturedStream?, keeping limit: Int) {
        self.stdout = stdout
        self.stderr = stderr
        self.compile = compile
        self.limit = limit
    }

    /// Reads output, errors and a cell's results from these from now on.
    mutating func replace(by streams: [SharedDescriptor]) {
        stdout = CapturedStream(streams[0], keeping: limit)
        stderr = CapturedStream(streams[1], keeping: limit)
        if streams.count > 2 { results = CapturedStream(streams[2], keeping: ExecutionStreams.resultsLimit) }
    }

    /// The write ends; dropping them leaves the sandbox as the only writer.
    struct WriteEnds {
        let stdout: SharedDescriptor
        let stderr: SharedDescriptor
        let compile: SharedDescriptor?
    }

    /// Makes the pipes.
    static func make(
        withCompile: Bool, keeping limit: Int
    ) throws(SystemCallError) -> (streams: ExecutionStreams, writeEnds: WriteEnds) {
        let stdout = try pipe(keeping: limit)
        let stderr = try pipe(keeping: limit)
        let compile = withCompile ? try pipe(keeping: limit) : nil
        return (
            ExecutionStreams(
                stdout: stdout.stream, stderr: stderr.stream, compile: compile?.stream, keeping: limit),
            WriteEnds(stdout: stdout.writeEnd, stderr: stderr.writeEnd, compile: compile?.writeEnd)
        )
    }

    /// Bytes dropped of all streams.
    var droppedBytes: Int { stdout.droppedBytes + stderr.droppedBytes + (compile?.droppedBytes ?? 0) }

    /// Reads what has come on each.
    func read(using buffer: UnsafeMutableRawBufferPointer) {
        stdout.read(using: buffer)
        stderr.read(using: buffer)
        compile?.read(using: buffer)
        results?.read(using: buffer)
    }

    /// Reads what is left and closes all.
    func drain(using buffer: UnsafeMutableRawBufferPointer) {
        stdout.drain(using: buffer)
        stderr.drain(using: buffer)
        compile?.drain(using: buffer)
        results?.drain(using: buffer)
    }

    private static func pipe(
        keeping limit: Int
    ) throws(SystemCallError) -> (stream: CapturedStream, writeEnd: SharedDescriptor) {
        let (readEnd, writeEnd) = try Pipe.make().shared()
        // Of this end alone: the program's end is an open file of its own and goes on waiting when the pipe is full.
        try Pipe.makeNonBlocking(readEnd.rawValue)
        return (CapturedStream(readEnd, keeping: limit), writeEnd)
    }
}
