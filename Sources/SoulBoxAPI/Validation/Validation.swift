internal import SoulBoxModel

/// The failures found while a request is checked, all of them, so that a client mends everything at once.
struct Validation {
    /// Told failures are bounded: a hostile body could hold a million wrong fields.
    private static let maximumFailures = 50

    /// The failures in the order in which they were found.
    private(set) var failures: [FieldFailure] = []

    /// Notes a failure.
    mutating func fail(_ field: String, _ reason: String) {
        guard failures.count < Validation.maximumFailures else { return }
        failures.append(FieldFailure(field: field, reason: reason))
    }

    /// Whether the field, or one inside it, is among the failures.
    func hasFailed(_ field: String) -> Bool {
        failures.contains { $0.field == field || $0.field.hasPrefix(field + "[") || $0.field.hasPrefix(field + ".") }
    }

    /// The failures as the API reports them; nil when there are none.
    var error: APIError? {
        guard let first = failures.first else { return nil }
        let all = failures.map { failure -> JSONValue in
            ["field": .string(failure.field), "reason": .string(failure.reason)]
        }
        return APIError(
            .validationError, "Invalid request parameters",
            details: JSONObject([
                ("field", .string(first.field)), ("reason", .string(first.reason)), ("fields", .array(all)),
            ]))
    }
}
