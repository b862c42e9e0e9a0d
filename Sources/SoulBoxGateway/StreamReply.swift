internal import NIOCore
internal import NIOHTTP1
internal import SoulBoxAPI
internal import SoulBoxModel

/// The answer to a request over HTTP.
struct StreamReply: Sendable {
    let channel: any Channel
    /// What is answered.
    let call: LiveCall

    /// Whether what is sent now goes out soon.
    var hasRoom: Bool { channel.isWritable && channel.isActive }

    /// Answers with an error in its envelope.
    func fail(_ error: APIError) {
        let body = error.envelope(requestID: call.requestID).bytes
        var headers = HTTPHeaders([
            ("Content-Type", "application/json; charset=utf-8"), ("Content-Length", String(body.count)),
            ("Connection", "close"),
        ])
        for header in error.headers { headers.add(name: header.name, value: header.value) }
        send(.init(statusCode: error.status), headers)
        write(body)
        end()
    }

    /// Answers with a line of text.
    func text(_ line: String) {
        send(
            .ok,
            HTTPHeaders([
                ("Content-Type", "text/plain"), ("Content-Length", String(line.utf8.count)), ("Connection", "close"),
            ]))
        write(Array(line.utf8))
        end()
    }

    /// Begins a stream of that type.
    func start(_ type: String) {
        send(
            .ok,
            HTTPHeaders([
                ("Content-Type", type), ("Cache-Control", "no-store"), ("X-Accel-Buffering", "no"),
                ("Connection", "close"),
            ]))
    }

    /// Sends a piece of the body.
    func write(_ bytes: [UInt8]) {
        channel.writeAndFlush(
            HTTPServerResponsePart.body(.byteBuffer(channel.allocator.buffer(bytes: bytes))), promise: nil)
    }

    /// Ends the answer, and the connection with it.
    func end() {
        channel.writeAndFlush(HTTPServerResponsePart.end(nil)).whenComplete { [channel] _ in
            channel.close(promise: nil)
        }
    }

    private func send(_ status: HTTPResponseStatus, _ headers: HTTPHeaders) {
        var headers = headers
        if let rate = call.rateField { headers.add(name: rate.name, value: rate.value) }
        channel.writeAndFlush(
            HTTPServerResponsePart.head(HTTPResponseHead(version: .http1_1, status: status, headers: headers)),
            promise: nil)
    }
}
