import SoulBoxModel

/// nginx's own error answers, in the envelope of the API.
enum NginxErrorPages {
    private struct Page {
        let name: Int
        let status: Int
        let code: ErrorCode
        let message: String
        var retryAfter = false
    }

    private static let pages = [
        Page(name: 400, status: 400, code: .validationError, message: "The request is malformed"),
        Page(name: 404, status: 404, code: .resourceNotFound, message: "There is nothing at this path"),
        Page(name: 405, status: 405, code: .validationError, message: "This method is not allowed here"),
        Page(name: 408, status: 408, code: .validationError, message: "The request took too long to arrive"),
        Page(name: 413, status: 413, code: .validationError, message: "The request body is too large"),
        Page(name: 414, status: 414, code: .validationError, message: "The request URI is too long"),
        Page(name: 429, status: 429, code: .resourceLimitExceeded, message: "Too many requests", retryAfter: true),
        Page(name: 500, status: 500, code: .systemError, message: "Internal error"),
        Page(
            name: 503, status: 503, code: .systemError, message: "The service is busy or starting; try again",
            retryAfter: true),
        Page(
            name: 504, status: 504, code: .systemError, message: "The service did not answer in time", retryAfter: true),
    ]

    /// What the worker said, where one had answered; nginx's own limit where it is that.
    private static func rateHeaders(_ page: Page) -> String {
        let values =
            page.status == 429
            ? [("Limit", "600"), ("Remaining", "0")]
            : [
                ("Limit", "$soulbox_rate_limit"), ("Remaining", "$soulbox_rate_remaining"),
                ("Reset", "$soulbox_rate_reset"),
            ]
        return values.map { "    add_header X-RateLimit-\($0) \($1) always;" }.joined(separator: "\n")
    }

    /// The locations that `error_page` leads to. Not named ones: nginx answers 500 where a malformed URI leads to one.
    static var text: String {
        pages.map { page in
            let body = APIError(page.code, status: page.status, page.message).envelope(requestID: "$soulbox_request_id")
                .text
            // add_header here replaces those of the server, so they stand here again.
            return """
                location = /_soulbox/\(page.name) {
                    internal;
                    default_type application/json;
                    add_header X-Request-ID $soulbox_request_id always;
                    add_header X-Content-Type-Options nosniff always;
                \(rateHeaders(page))
                \(page.status == 405 ? "    add_header Allow \"DELETE, GET, HEAD, POST, PUT\" always;\n" : "")\
                \(page.retryAfter ? "    add_header Retry-After 1 always;\n" : "")    return \(page.status) '\(body)';
                }

                """
        }.joined(separator: "\n")
    }
}
