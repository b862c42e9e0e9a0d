internal import IsolationProtocol
internal import SoulBoxModel

extension APIError {
    /// The execution has ended already: there is nothing left to cancel.
    static func alreadyEnded(_ status: ExecutionStatus) -> APIError {
        APIError(
            .conflict, "The execution has already ended",
            details: JSONObject([("status", .string(status.rawValue))]))
    }

    /// What a caller is told whose execution the isolation service did not carry out.
    static func refusal(_ error: IsolationError, execution: String) -> APIError {
        var told = APIError.isolation(error)
        var details = told.details ?? JSONObject()
        details["execution_id"] = .string(execution)
        told.details = details
        return told
    }
}
