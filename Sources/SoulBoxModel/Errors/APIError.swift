/// A failure as the API reports it.
///
/// `message` and `details` are shown to clients: no SQL, no host path, no process id, no stack trace.
public struct APIError: Error, Sendable, Equatable {
    /// A header field that goes with the error.
    public struct Header: Sendable, Equatable {
        /// The field's name.
        public var name: String
        /// The field's value.
        public var value: String

        /// Makes a header field.
        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// The stable code.
    public var code: ErrorCode

    /// The HTTP status.
    public var status: Int

    /// A sentence for people.
    public var message: String

    /// More for programs, as `field` and `reason`.
    public var details: JSONObject?

    /// Header fields of the response.
    public var headers: [Header]

    /// Makes an error; the status is the code's own unless given.
    public init(
        _ code: ErrorCode, status: Int? = nil, _ message: String, details: JSONObject? = nil, headers: [Header] = []
    ) {
        self.code = code
        self.status = status ?? code.status
        self.message = message
        self.details = details
        self.headers = headers
    }

    /// The error envelope of the API reference.
    public func envelope(requestID: String) -> JSONValue {
        var error = JSONObject([("code", .string(code.rawValue)), ("message", .string(message))])
        error["details"] = details.map(JSONValue.object) ?? [:]
        error["request_id"] = .string(requestID)
        return ["error": .object(error)]
    }
}
