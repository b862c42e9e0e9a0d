import Glibc
import LinuxKernel

/// As much of a web server's side of FastCGI 1.0 as the tests need.
final class FastCGIClient {
    struct Answer {
        var head = ""
        var body: [UInt8] = []
        /// False when the connection closed before the end of the request.
        var isComplete = false
    }

    let descriptor: SharedDescriptor

    init(path: String) throws {
        descriptor = SharedDescriptor(try UnixSocket.connect(to: path, kind: .stream))
    }

    /// Sends a whole request and reads its answer.
    func request(
        _ parameters: [String: String] = [:], body: [UInt8] = [], contentLength: Int? = nil, keep: Bool = false
    ) throws -> Answer {
        try begin(parameters, contentLength: contentLength ?? body.count, keep: keep)
        try sendBody(body)
        return try answer()
    }

    /// Sends the head of a request.
    func begin(_ parameters: [String: String] = [:], contentLength: Int, keep: Bool = false) throws {
        try send(type: 1, [0, 1, keep ? 1 : 0, 0, 0, 0, 0, 0])
        var pairs: [UInt8] = []
        for (name, value) in parameters.merging(["CONTENT_LENGTH": "\(contentLength)"], uniquingKeysWith: { $1 }) {
            for text in [name, value] {
                let count = text.utf8.count
                pairs +=
                    count < 128
                    ? [UInt8(count)]
                    : [
                        UInt8(count >> 24) | 0x80, UInt8(count >> 16 & 255), UInt8(count >> 8 & 255),
                        UInt8(count & 255),
                    ]
            }
            pairs += Array(name.utf8) + Array(value.utf8)
        }
        try send(type: 4, pairs)
        try send(type: 4, [])
    }

    /// Sends a body and its end.
    func sendBody(_ body: [UInt8]) throws {
        try sendPart(body)
        try send(type: 5, [])
    }

    /// Sends a piece of a body.
    func sendPart(_ body: [UInt8]) throws {
        var rest = body[...]
        while !rest.isEmpty {
            try send(type: 5, Array(rest.prefix(65_000)))
            rest = rest.dropFirst(65_000)
        }
    }

    /// Reads records to the end of the request or of the connection.
    func answer() throws -> Answer {
        var output: [UInt8] = []
        var answer = Answer()
        while let header = read(8) {
            let length = Int(header[4]) << 8 | Int(header[5])
            guard let content = read(length), read(Int(header[6])) != nil else { break }
            if header[1] == 6 { output += content }
            if header[1] == 3 {
                answer.isComplete = true
                break
            }
        }
        let separator = Array("\r\n\r\n".utf8)
        let end = output.indices.first { output[$0...].starts(with: separator) } ?? output.count
        answer.head = String(decoding: output[..<end], as: UTF8.self)
        answer.body = Array(output.dropFirst(end + separator.count))
        return answer
    }

    /// Whether the server closes the connection within two seconds.
    func isClosedByServer() throws -> Bool {
        var entries = [PollEntry(descriptor: descriptor.rawValue, events: .input)]
        guard try Poll.wait(&entries, timeout: 2000) == 1 else { return false }
        return read(1) == nil
    }

    private func send(type: UInt8, _ content: [UInt8]) throws {
        var record: [UInt8] = [1, type, 0, 1, UInt8(content.count >> 8), UInt8(content.count & 255), 0, 0]
        record += content
        var sent = 0
        while sent < record.count {
            sent += try record.withUnsafeBytes { raw in
                try UnixSocket.send(UnsafeRawBufferPointer(rebasing: raw[sent...]), on: descriptor.rawValue)
            }
        }
    }

    private func read(_ count: Int) -> [UInt8]? {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: max(count, 1))
        while bytes.count < count {
            let got = Glibc.read(descriptor.rawValue, &chunk, count - bytes.count)
            guard got > 0 else { return nil }
            bytes += chunk[..<got]
        }
        return bytes
    }
}
