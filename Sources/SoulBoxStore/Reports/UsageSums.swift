/// What a number of executions have used together.
public struct UsageSums: Sendable, Equatable {
    /// How many have ended.
    public var executions: Int64 = 0
    /// How many of them as `completed`.
    public var completed: Int64 = 0
    /// How many of them as `failed`.
    public var failed: Int64 = 0
    /// How many of them as `timeout`.
    public var timeout: Int64 = 0
    /// How many of them as `cancelled`.
    public var cancelled: Int64 = 0
    /// Processor time, in microseconds.
    public var cpuMicroseconds: Int64 = 0
    /// Time in which their programs ran, in microseconds.
    public var wallMicroseconds: Int64 = 0
    /// Time in which they waited for their turn, in microseconds.
    public var queueMicroseconds: Int64 = 0
    /// The most memory that one of them had, in bytes.
    public var memoryPeakBytes: Int64 = 0
    /// The memory that each could have had, in whole MiB, times the milliseconds that its program ran.
    public var memoryMebibyteMilliseconds: Int64 = 0
    /// Output that was kept, in bytes.
    public var outputBytes: Int64 = 0

    /// Nothing.
    public init() {}
}
