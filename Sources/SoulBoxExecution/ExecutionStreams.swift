internal import LinuxKernel

/// The pipes of one execution: the ends that are read here, and the ends that go to the isolation service.
struct ExecutionStreams {
    private(set) var stdout: CapturedStream
    private(set) var stderr: CapturedStream
    let compile: CapturedStream?
    /// The rich results of a cell.
    private(set) var results: CapturedStream?
    private let limit: Int
    /// Who follows the output while it is printed.
    private let live: LiveExecution?
    /// Bytes of results that are kept.
    private static let resultsLimit = 32 << 20

    private init(
        _ stdout: SharedDescriptor, _ stderr: SharedDescriptor, compile: SharedDescriptor?, keeping limit: Int,
        live: LiveExecution?
    ) {
        self.stdout = ExecutionStreams.stream(stdout, .stdout, keeping: limit, live)
        self.stderr = ExecutionStreams.stream(stderr, .stderr, keeping: limit, live)
        self.compile = compile.map { CapturedStream($0, keeping: limit) }
        self.limit = limit
        self.live = live
    }

    private static func stream(
        _ descriptor: SharedDescriptor, _ stream: OutputPiece.Stream, keeping limit: Int, _ live: LiveExecution?
    ) -> CapturedStream {
        guard let live else { return CapturedStream(descriptor, keeping: limit) }
        // What is typed at a terminal comes back without waiting.
        return CapturedStream(descriptor, keeping: limit, joinsLines: live.terminal == nil) {
            live.append($0, of: stream)
        }
    }

    /// Reads output, errors and a cell's results from these from now on.
    mutating func replace(by streams: [SharedDescriptor]) {
        stdout = ExecutionStreams.stream(streams[0], .stdout, keeping: limit, live)
        // A terminal has one stream only.
        if streams.count > 1 { stderr = ExecutionStreams.stream(streams[1], .stderr, keeping: limit, live) }
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
        withCompile: Bool, keeping limit: Int, live: LiveExecution? = nil
    ) throws(SystemCallError) -> (streams: ExecutionStreams, writeEnds: WriteEnds) {
        let stdout = try pipe()
        let stderr = try pipe()
        let compile = withCompile ? try pipe() : nil
        return (
            ExecutionStreams(
                stdout.readEnd, stderr.readEnd, compile: compile?.readEnd, keeping: limit, live: live),
            WriteEnds(stdout: stdout.writeEnd, stderr: stderr.writeEnd, compile: compile?.writeEnd)
        )
    }

    /// Bytes that nobody has had, of all streams: what is followed is not dropped, it waits.
    var droppedBytes: Int {
        (live == nil ? stdout.droppedBytes + stderr.droppedBytes : 0) + (compile?.droppedBytes ?? 0)
    }

    /// Reads what has come on each, of the program's output only where somebody takes it.
    func read(using buffer: UnsafeMutableRawBufferPointer, takesOutput: Bool = true) {
        if takesOutput {
            stdout.read(using: buffer)
            stderr.read(using: buffer)
        }
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

    private static func pipe() throws(SystemCallError) -> (readEnd: SharedDescriptor, writeEnd: SharedDescriptor) {
        let (readEnd, writeEnd) = try Pipe.make().shared()
        // Of this end alone: the program's end is an open file of its own and goes on waiting when the pipe is full.
        try Pipe.makeNonBlocking(readEnd.rawValue)
        return (readEnd, writeEnd)
    }
}
