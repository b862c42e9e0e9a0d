public import SoulBoxModel

/// A background process of a persistent sandbox.
public struct SandboxProcess: Sendable, Equatable {
    /// Its pid in the sandbox.
    public var pid: Int32
    /// Its arguments, the beginning of many.
    public var arguments: [String]
    /// When it was started.
    public var startedAt: Timestamp
    /// Whether it runs.
    public var isRunning: Bool
    /// How it exited; nil while it runs, and when a signal ended it.
    public var exitCode: Int?
    /// The signal that ended it, as `SIGKILL`.
    public var signal: String?

    /// Makes a process.
    public init(
        pid: Int32, arguments: [String], startedAt: Timestamp, isRunning: Bool, exitCode: Int? = nil,
        signal: String? = nil
    ) {
        self.pid = pid
        self.arguments = arguments
        self.startedAt = startedAt
        self.isRunning = isRunning
        self.exitCode = exitCode
        self.signal = signal
    }

    /// The Varlink type `Process`.
    public var json: JSONValue {
        [
            "pid": JSONValue(Int(pid)), "arguments": .array(arguments.map(JSONValue.string)),
            "started_us": .integer(startedAt.microseconds), "running": .bool(isRunning),
            "exit_code": JSONValue(exitCode), "signal": JSONValue(signal),
        ]
    }

    /// Nil when a field is missing.
    public init?(json: JSONValue) {
        guard let pid = json["pid"]?.integerValue.flatMap(Int32.init(exactly:)),
            let arguments = json["arguments"]?.arrayValue, let started = json["started_us"]?.integerValue,
            let isRunning = json["running"]?.boolValue
        else { return nil }
        self.init(
            pid: pid, arguments: arguments.compactMap(\.stringValue), startedAt: Timestamp(microseconds: started),
            isRunning: isRunning, exitCode: (json["exit_code"]?.integerValue).map(Int.init),
            signal: json["signal"]?.stringValue)
    }
}

/// Output of a background process.
public struct ProcessOutput: Sendable, Equatable {
    /// A piece of one stream.
    public struct Entry: Sendable, Equatable {
        /// `stdout` or `stderr`.
        public var stream: String
        /// How many bytes of both streams came before.
        public var offset: Int64
        /// The bytes.
        public var bytes: [UInt8]

        /// Makes an entry.
        public init(stream: String, offset: Int64, bytes: [UInt8]) {
            self.stream = stream
            self.offset = offset
            self.bytes = bytes
        }
    }

    /// The pieces in the order in which they came.
    public var entries: [Entry]
    /// The offset to go on from.
    public var next: Int64
    /// Whether no more can come.
    public var isOver: Bool

    /// Makes an output.
    public init(entries: [Entry], next: Int64, isOver: Bool) {
        self.entries = entries
        self.next = next
        self.isOver = isOver
    }
}
