public import SoulBoxModel

extension APIError {
    /// A key has as many connections as it may.
    public static let tooManyConnections = APIError.limitExceeded("Too many connections", retryAfter: 5)

    /// A message of a live connection that cannot be understood.
    public static func malformed(_ field: String, _ reason: String) -> APIError {
        var validation = Validation()
        validation.fail(field, reason)
        return validation.error ?? .internalError
    }
}
