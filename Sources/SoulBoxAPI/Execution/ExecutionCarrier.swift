internal import IsolationProtocol
public import SoulBoxExecution
internal import SoulBoxModel

/// What carries executions out; `ExecutionRunner` is it, tests put another in its place.
public protocol ExecutionCarrier: Sendable {
    /// Carries one execution out and waits for its end.
    func run(_ request: ExecutionRequest, started: () -> Bool) -> ExecutionResult

    /// Ends a running or waiting execution as cancelled; false when it is not known.
    func terminate(execution: String, account: String) throws -> Bool
}

extension ExecutionRunner: ExecutionCarrier {
    /// Ends a running or waiting execution as cancelled; false when the isolation service does not know it.
    public func terminate(execution: String, account: String) throws -> Bool {
        try connections.terminate(execution: execution, account: account, reason: .cancelled)
    }
}
