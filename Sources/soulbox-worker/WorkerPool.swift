import SoulBoxService

/// Which requests a worker process serves.
///
/// An execution holds its thread for as long as the program runs; the pools are apart so that a flood of slow programs
/// never stops a short request.
enum WorkerPool: String {
    /// Short requests.
    case control
    /// Synchronous executions.
    case execution

    /// The pool's part of the configuration.
    func settings(of configuration: ServiceConfiguration) -> ServiceConfiguration.Pool {
        switch self {
        case .control: configuration.controlPool
        case .execution: configuration.executionPool
        }
    }
}
