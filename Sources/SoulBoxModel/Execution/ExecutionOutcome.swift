/// What the isolator reports when an execution has ended.
public struct ExecutionOutcome: Sendable, Equatable {
    /// Why the program ended.
    public var termination: Termination

    /// Its exit code, when it exited.
    public var exitCode: Int?

    /// Wall time of the program in microseconds, compiling excluded.
    public var wallTimeMicroseconds: Int64

    /// Processor time of the program and all it started, in microseconds.
    public var cpuTimeMicroseconds: Int64

    /// The most memory that the program's own cgroup held at one time, in bytes.
    public var memoryPeakBytes: Int64

    /// How long it waited for its turn, in microseconds.
    public var queueTimeMicroseconds: Int64

    /// The compile stage; nil in languages that have none.
    public var compile: StageOutcome?

    /// Makes an outcome.
    public init(
        termination: Termination, exitCode: Int? = nil, wallTimeMicroseconds: Int64 = 0, cpuTimeMicroseconds: Int64 = 0,
        memoryPeakBytes: Int64 = 0, queueTimeMicroseconds: Int64 = 0, compile: StageOutcome? = nil
    ) {
        self.termination = termination
        self.exitCode = exitCode
        self.wallTimeMicroseconds = wallTimeMicroseconds
        self.cpuTimeMicroseconds = cpuTimeMicroseconds
        self.memoryPeakBytes = memoryPeakBytes
        self.queueTimeMicroseconds = queueTimeMicroseconds
        self.compile = compile
    }
}
