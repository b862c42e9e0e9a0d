public import SoulBoxExecution

/// What one gateway process puts up with.
public struct GatewayLimits: Sendable, Equatable {
    /// Connections at once.
    public var connections = 2048
    /// Connections of one key at once.
    public var connectionsPerKey = 256
    /// Executions that run at once, and so threads.
    public var executions = 128
    /// Executions that one connection has at once.
    public var executionsPerConnection = 16
    /// Bytes of one message.
    public var messageBytes = 2 << 20
    /// Control frames that a client may send in ten seconds.
    public var controlFrames = 200
    /// Seconds between pings.
    public var pingSeconds = 20
    /// Seconds after which a client of whom nothing is heard, and who takes nothing, is gone.
    public var silenceSeconds = 60
    /// Seconds that an execution which has ended can still be attached to with all that is kept of its output.
    public var lingerSeconds = 60
    /// Bytes of output that executions which have ended are kept with, all together.
    public var lingerBytes = 64 << 20
    /// Seconds between looks at whether the credentials of connections are still good.
    public var checkSeconds = 5
    /// Threads for calls that wait.
    public var threads = 16
    /// Streams over HTTP that hold a thread each.
    public var followers = 64
    /// Each execution.
    public var live = LiveExecution.Bounds()

    /// The defaults.
    public init() {}
}
