public import SoulBoxModel

extension APIError {
    /// A message of a live connection that cannot be understood.
    public static func malformed(_ field: String, _ reason: String) -> APIError {
        var validation = Validation()
        validation.fail(field, reason)
        return validation.error ?? .internalError
    }

    /// There is no such execution, or it belongs to another account.
    public static var noExecution: APIError { .notFound("execution") }

    /// The process has as much to do as it takes.
    public static var busy: APIError { .unavailable }

    /// Something is used up for now.
    public static func usedUp(_ message: String, retryAfter seconds: Int) -> APIError {
        .limitExceeded(message, retryAfter: seconds)
    }
}
