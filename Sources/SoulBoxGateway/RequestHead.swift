internal import NIOHTTP1
internal import SoulBoxAPI

/// What the web server passes on of a request.
enum RequestHead {
    /// The path without the query.
    static func path(_ head: HTTPRequestHead) -> String {
        String(head.uri.prefix { $0 != "?" })
    }

    /// The request as the API reads it. The client's address and the request's identifier are the web server's word: nobody
    /// else reaches the socket.
    static func call(_ head: HTTPRequestHead) -> LiveCall {
        var fields: [String: String] = [:]
        for (name, value) in head.headers {
            let key = name.lowercased()
            // As one line where a field is repeated (RFC 9110, section 5.3).
            fields[key] = fields[key].map { $0 + ", " + value } ?? value
        }
        return LiveCall(
            method: head.method.rawValue, target: head.uri, remoteAddress: fields["x-real-ip"] ?? "",
            requestID: fields["x-request-id"], headers: fields)
    }
}
