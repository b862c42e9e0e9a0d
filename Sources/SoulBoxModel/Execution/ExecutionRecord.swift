/// Everything that the API shows of one execution.
public struct ExecutionRecord: Sendable, Equatable {
    /// A stream's kept bytes, and whether more were dropped.
    public struct Output: Sendable, Equatable {
        /// The bytes kept.
        public var bytes: [UInt8]
        /// Whether output beyond the limit was dropped.
        public var isTruncated: Bool

        /// Makes an output.
        public init(bytes: [UInt8] = [], isTruncated: Bool = false) {
            self.bytes = bytes
            self.isTruncated = isTruncated
        }
    }

    /// The compile stage.
    public struct Compile: Sendable, Equatable {
        /// The compiler's exit code; nil when it was killed.
        public var exitCode: Int?
        /// What it printed.
        public var output: Output
        /// How long it took, in microseconds.
        public var timeMicroseconds: Int64

        /// Makes a compile stage.
        public init(exitCode: Int?, output: Output, timeMicroseconds: Int64) {
            self.exitCode = exitCode
            self.output = output
            self.timeMicroseconds = timeMicroseconds
        }
    }

    /// The identifier, as `exec_…`.
    public var id: String
    /// Where it stands.
    public var status: ExecutionStatus
    /// The persistent sandbox that it runs in, as `sb_…`; nil when one was made for it.
    public var sandbox: String?
    /// The context that it runs in, as `ctx_…`.
    public var context: String?
    /// The rich results of a cell; nil outside a context.
    public var results: [JSONValue]?
    /// The language.
    public var runtime: Runtime
    /// The template.
    public var template: String
    /// What it may use.
    public var limits: ExecutionLimits
    /// Standard output.
    public var stdout = Output()
    /// Standard error.
    public var stderr = Output()
    /// The compile stage; nil where there was none.
    public var compile: Compile?
    /// Why it ended; nil until it has.
    public var termination: Termination?
    /// The program's exit code.
    public var exitCode: Int?
    /// Wall time in microseconds.
    public var wallTimeMicroseconds: Int64?
    /// Processor time in microseconds.
    public var cpuTimeMicroseconds: Int64?
    /// Peak memory in bytes.
    public var memoryPeakBytes: Int64?
    /// Time it waited, in microseconds.
    public var queueTimeMicroseconds: Int64?
    /// Files made or changed; contents are left out.
    public var artifacts: [ArtifactEntry] = []
    /// When it was asked for.
    public var createdAt: Timestamp
    /// When its program or compiler started.
    public var startedAt: Timestamp?
    /// When it ended.
    public var completedAt: Timestamp?

    /// A file made or changed, as it is listed.
    public struct ArtifactEntry: Sendable, Equatable {
        /// Path below `/workspace`.
        public var path: String
        /// Size in bytes.
        public var size: Int64
        /// Whether its bytes are kept.
        public var isStored: Bool

        /// Makes an entry.
        public init(path: String, size: Int64, isStored: Bool) {
            self.path = path
            self.size = size
            self.isStored = isStored
        }
    }

    /// Makes a record of an execution that has not ended.
    public init(
        id: String, status: ExecutionStatus, runtime: Runtime, template: String, limits: ExecutionLimits,
        createdAt: Timestamp
    ) {
        self.id = id
        self.status = status
        self.runtime = runtime
        self.template = template
        self.limits = limits
        self.createdAt = createdAt
    }
}
