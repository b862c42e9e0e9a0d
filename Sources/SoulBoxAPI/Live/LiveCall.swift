public import SoulBoxModel
public import SoulBoxStore

/// A request that outlives the thread that received it: what a live connection began with.
public struct LiveCall: Sendable {
    /// The method in capitals.
    public var method: String
    /// Path and query as they stand in the request line.
    public var target: String
    /// The client's address.
    public var remoteAddress: String
    /// The identifier that goes into the log and every answer.
    public var requestID: String
    /// Header fields by their names in lower case.
    public var headers: [String: String]
    let note = AdmissionNote()

    /// Makes a call; a bad request identifier is replaced.
    public init(
        method: String = "GET", target: String, remoteAddress: String, requestID: String? = nil,
        headers: [String: String]
    ) {
        self.method = method
        self.target = target
        self.remoteAddress = remoteAddress
        self.requestID = RequestID.accept(requestID) ?? RequestID.make()
        self.headers = headers
        // Browsers cannot set a header of their own on a WebSocket: the key or token comes as a sub-protocol.
        guard headers["x-api-key"] == nil, headers["authorization"] == nil, let offered = bearerProtocol else { return }
        self.headers["authorization"] = "Bearer \(offered.dropFirst(LiveCall.prefix.count))"
    }

    /// An identifier for one of several requests on a connection.
    public static func newRequestID() -> String { RequestID.make() }

    private static let prefix = "bearer."

    /// The sub-protocol that carries the credential, to be echoed when the connection is accepted (RFC 6455, section 4.2.2);
    /// nil when none does.
    public var bearerProtocol: String? {
        guard let offered = headers["sec-websocket-protocol"] else { return nil }
        return offered.split(separator: ",").map { $0.trimmed() }.first { $0.hasPrefix(LiveCall.prefix) }
    }

    /// How the caller stands with its limit, as a field for the web server; nil before it was let in or refused for the limit,
    /// and where there is none.
    public var rateField: APIError.Header? { note.rate?.field }

    /// What the caller was let in with; nil before that.
    public var credential: Credential? { note.credential }

    /// The request as the API reads it, for the calling thread.
    var request: HTTPRequest {
        HTTPRequest(
            method: method, target: target, remoteAddress: remoteAddress, requestID: requestID, body: NoBody(),
            headers: { headers[$0] })
    }

    private struct NoBody: BodyReader {
        var contentLength: Int? { 0 }
        func read(into buffer: UnsafeMutableRawBufferPointer) throws(BodyError) -> Int { 0 }
    }
}

extension Substring {
    fileprivate func trimmed() -> String {
        String(drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
    }
}
