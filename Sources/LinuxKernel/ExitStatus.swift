/// How a process ended (wait(2)).
public enum ExitStatus: Sendable, Equatable {
    /// It exited with this code.
    case exited(CInt)
    /// A signal ended it.
    case signaled(CInt)
}
