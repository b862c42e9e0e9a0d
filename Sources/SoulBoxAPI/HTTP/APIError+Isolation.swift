internal import IsolationProtocol
internal import SoulBoxModel

extension APIError {
    /// What a caller is told of a call that the isolation service did not carry out.
    static func isolation(_ error: IsolationError) -> APIError {
        switch error.code {
        case .busy:
            APIError(
                .systemError, status: 503, "The machine is full, try again later", headers: [.init("Retry-After", "5")])
        case .unavailable, .protocolViolation: .unavailable
        case .templateNotFound:
            APIError(
                .validationError, "Invalid request parameters",
                details: JSONObject([("field", "template"), ("reason", "There is no such template")]))
        case .sandboxNotFound: .notFound("sandbox")
        case .sandboxNotRunning:
            APIError(
                .conflict, "The sandbox does not run", details: JSONObject([("status", .string(error.message))]))
        case .snapshotNotFound: .notFound("snapshot")
        case .notPossible: APIError(.validationError, status: 422, APIError.sentence(error.message))
        case .conflict: APIError(.conflict, APIError.sentence(error.message))
        case .notFound: APIError(.resourceNotFound, APIError.sentence(error.message))
        case .networkUnavailable:
            // Why is in the service's log: it speaks of the host.
            APIError(
                .systemError, status: 503, "Sandboxes have no network on this installation",
                headers: [.init("Retry-After", "60")])
        case .noSpace: APIError(.systemError, status: 507, APIError.sentence(error.message))
        case .invalidSpec, .isolationFailed: .internalError
        }
    }

    /// The service's reasons for people begin with a small letter.
    private static func sentence(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() }
}
