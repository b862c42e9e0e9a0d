/// Why a program ended.
public enum TerminationReason: String, Sendable, CaseIterable {
    case exited
    case signal
    case timeout
    case oom
    case outputLimit = "output_limit"
    case processLimit = "process_limit"
    case diskLimit = "disk_limit"
    case compileError = "compile_error"
    case cancelled
    /// The service lost it: a process or the machine died while it ran.
    case lost

    /// The status of an execution that ended so.
    public var status: ExecutionStatus {
        switch self {
        case .exited: .completed
        case .timeout: .timeout
        case .cancelled: .cancelled
        case .signal, .oom, .outputLimit, .processLimit, .diskLimit, .compileError, .lost: .failed
        }
    }
}
