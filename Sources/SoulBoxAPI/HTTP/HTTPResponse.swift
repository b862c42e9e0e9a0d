public import SoulBoxModel

/// An answer of the API.
public struct HTTPResponse: Sendable, Equatable {
    /// The status code.
    public var status: Int

    /// The header fields.
    public var headers: [APIError.Header]

    /// The body.
    public var body: [UInt8]

    /// A part of a file in the place of `body`.
    public var file: FileRange?

    /// A body that comes into being while it is sent, in the place of `body`.
    public var stream: BodyStream?

    /// Makes an answer.
    public init(
        status: Int, headers: [APIError.Header] = [], body: [UInt8] = [], file: FileRange? = nil,
        stream: BodyStream? = nil
    ) {
        self.file = file
        self.stream = stream
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// An answer with a JSON body.
    public static func json(
        _ value: JSONValue, status: Int = 200, headers: [APIError.Header] = []
    ) -> HTTPResponse {
        json(bytes: value.bytes, status: status, headers: headers)
    }

    /// An answer with a JSON body that is written already.
    static func json(bytes: [UInt8], status: Int, headers: [APIError.Header] = []) -> HTTPResponse {
        HTTPResponse(
            status: status, headers: [.init("Content-Type", "application/json; charset=utf-8")] + headers, body: bytes)
    }

    /// The same answer with one header field more.
    func adding(_ header: APIError.Header) -> HTTPResponse {
        var response = self
        response.headers.append(header)
        return response
    }

    /// An error in its envelope.
    public static func error(_ error: APIError, requestID: String) -> HTTPResponse {
        .json(error.envelope(requestID: requestID), status: error.status, headers: error.headers)
    }

    /// The value of a header field; names are compared without regard to case.
    public func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }
}
