public import SoulBoxModel
internal import SoulBoxStore

extension APIError {
    /// A component is away or the machine is full; worth another attempt.
    public static var unavailable: APIError {
        APIError(
            .systemError, status: 503, "The service is temporarily unavailable", headers: [.init("Retry-After", "2")])
    }

    /// Something went wrong that the client cannot mend.
    static var internalError: APIError { APIError(.systemError, "Internal system error") }

    /// There is no such thing, or it belongs to another account.
    public static func notFound(_ what: String) -> APIError { APIError(.resourceNotFound, "There is no such \(what)") }

    /// The key may not do that.
    static func forbidden(_ missing: Permission) -> APIError {
        APIError(
            .insufficientPermissions, "Insufficient permissions",
            details: JSONObject([("required", .string(missing.rawValue))]))
    }
}
