/// How the compile stage of an execution ended.
public struct StageOutcome: Sendable, Equatable {
    /// Why it ended.
    public var termination: Termination

    /// Its exit code, when it exited.
    public var exitCode: Int?

    /// How long it took, in microseconds of wall time.
    public var wallTimeMicroseconds: Int64

    /// Makes an outcome.
    public init(termination: Termination, exitCode: Int?, wallTimeMicroseconds: Int64) {
        self.termination = termination
        self.exitCode = exitCode
        self.wallTimeMicroseconds = wallTimeMicroseconds
    }
}
