/// The stable codes of the error envelope.
public enum ErrorCode: String, Sendable, CaseIterable {
    case validationError = "VALIDATION_ERROR"
    case authenticationRequired = "AUTHENTICATION_REQUIRED"
    case insufficientPermissions = "INSUFFICIENT_PERMISSIONS"
    case resourceNotFound = "RESOURCE_NOT_FOUND"
    case conflict = "CONFLICT"
    case resourceLimitExceeded = "RESOURCE_LIMIT_EXCEEDED"
    case executionTimeout = "EXECUTION_TIMEOUT"
    case executionError = "EXECUTION_ERROR"
    case systemError = "SYSTEM_ERROR"

    /// The HTTP status that goes with it where nothing more special does.
    public var status: Int {
        switch self {
        case .validationError: 400
        case .authenticationRequired: 401
        case .insufficientPermissions: 403
        case .resourceNotFound: 404
        case .conflict: 409
        case .resourceLimitExceeded: 429
        // These two are codes of an execution that HTTP 200 reports.
        case .executionTimeout, .executionError: 200
        case .systemError: 500
        }
    }
}
