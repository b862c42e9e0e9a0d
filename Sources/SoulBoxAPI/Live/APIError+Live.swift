public import SoulBoxModel

extension APIError {
    /// A message of a live connection that cannot be understood.
    public static func malformed(_ field: String, _ reason: String) -> APIError {
        var validation = Validation()
        validation.fail(field, reason)
        return validation.error ?? .internalError
    }
}
