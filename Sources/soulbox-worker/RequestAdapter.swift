import FastCGI
import SoulBoxAPI
import SoulBoxModel

/// Carries requests from FastCGI to the API and answers back.
struct RequestAdapter: Sendable {
    let api: API

    /// Answers one request.
    func handle(_ request: FastCGIRequest, _ response: FastCGIResponse) {
        let answer = api.respond(
            to: HTTPRequest(
                method: request.parameter("REQUEST_METHOD") ?? "",
                target: request.parameter("REQUEST_URI") ?? "/",
                remoteAddress: request.parameter("REMOTE_ADDR") ?? "",
                requestID: request.parameter("SOULBOX_REQUEST_ID"),
                body: FastCGIBody(request: request),
                clientDescriptor: request.clientDescriptor,
                isFromTrustedAddress: request.parameter("SOULBOX_TRUSTED_ADDRESS") == "1",
                headers: request.header))
        do {
            let headers = answer.headers.map { (name: $0.name, value: $0.value) }
            if let stream = answer.stream {
                try response.start(status: answer.status, headers: headers)
                try stream.write { bytes in
                    try response.write(bytes)
                    try response.flush()
                }
                return
            }
            // Without a length nginx would send chunks.
            let count = answer.file?.count ?? Int64(answer.body.count)
            try response.start(
                status: answer.status, headers: headers + [(name: "Content-Length", value: String(count))])
            guard let file = answer.file else { return try response.write(answer.body) }
            guard request.parameter("REQUEST_METHOD") != "HEAD" else { return }
            try file.read { try response.write(Array($0)) }
        } catch {
            // The client or the web server has gone; nobody is left to tell.
        }
    }
}
