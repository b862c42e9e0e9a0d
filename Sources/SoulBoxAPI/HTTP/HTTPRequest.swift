/// A request as the API sees it, whatever protocol brought it here.
///
/// For the thread that received it.
public struct HTTPRequest {
    /// The method in capitals, as `POST`.
    public var method: String

    /// The path as the client wrote it: not decoded, without the query.
    public var rawPath: String

    /// What follows the `?`, not decoded; empty when nothing does.
    public var query: String

    /// The client's address.
    public var remoteAddress: String

    /// The identifier that goes into the log and every answer, as `req_…`.
    public var requestID: String

    /// The body.
    public var body: any BodyReader

    /// A descriptor that hangs up when the client goes; nil when none tells.
    public var clientDescriptor: CInt?

    /// Whether the web server vouches for the address, as an operator has told it to; for figures alone.
    public var isFromTrustedAddress: Bool

    /// What becomes known of it while it is answered.
    let context = RequestContext()

    private let headers: (String) -> String?

    /// Makes a request.
    ///
    /// - Parameters:
    ///   - target: Path and query as they stand in the request line; an absolute URI is reduced to its path.
    ///   - requestID: An identifier chosen by the client or the web server; a bad one is replaced.
    ///   - headers: Looks a header field up by its name in lower case.
    public init(
        method: String, target: String, remoteAddress: String = "", requestID: String? = nil, body: any BodyReader,
        clientDescriptor: CInt? = nil, isFromTrustedAddress: Bool = false, headers: @escaping (String) -> String?
    ) {
        self.method = method
        let parts = HTTPRequest.split(target)
        rawPath = parts.path
        query = parts.query
        self.remoteAddress = remoteAddress
        self.requestID = RequestID.accept(requestID) ?? RequestID.make()
        self.body = body
        self.clientDescriptor = clientDescriptor
        self.isFromTrustedAddress = isFromTrustedAddress
        self.headers = headers
    }

    /// The value of a header field; names are compared without regard to case.
    public func header(_ name: String) -> String? { headers(name.lowercased()) }

    private static func split(_ target: String) -> (path: String, query: String) {
        var rest = Substring(target)
        // Nearly all begin with the path.
        for scheme in ["http://", "https://"] where rest.utf8.first == UInt8(ascii: "h") && rest.hasPrefix(scheme) {
            rest = rest.dropFirst(scheme.count)
            rest = rest.firstIndex(of: "/").map { rest[$0...] } ?? "/"
        }
        guard let mark = rest.utf8.firstIndex(of: UInt8(ascii: "?")) else { return (String(rest), "") }
        return (String(rest[..<mark]), String(rest[rest.utf8.index(after: mark)...]))
    }
}
