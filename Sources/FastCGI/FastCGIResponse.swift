internal import CFastCGI
internal import Glibc

/// The answer to one request, written as a stream.
///
/// For the thread that accepted the request and for as long as its handler runs.
public final class FastCGIResponse {
    private let request: UnsafeMutablePointer<FCGX_Request>

    /// Whether the head has been written, after which status and header fields cannot change.
    public private(set) var isStarted = false

    init(_ request: UnsafeMutablePointer<FCGX_Request>) { self.request = request }

    /// Writes the status and the header fields; the body follows by `write(_:)`.
    ///
    /// A field whose name or value holds a control character is left out: it could end the head early.
    public func start(status: Int, headers: [(name: String, value: String)]) throws(FastCGIError) {
        var head: [UInt8] = []
        head.reserveCapacity(512)
        head.append(contentsOf: "Status: \(status) \(ReasonPhrase.of(status))\r\n".utf8)
        for header in headers {
            guard FastCGIResponse.isPlain(header.name), FastCGIResponse.isPlain(header.value), !header.name.isEmpty
            else {
                continue
            }
            head.append(contentsOf: header.name.utf8)
            head.append(contentsOf: ": ".utf8)
            head.append(contentsOf: header.value.utf8)
            head.append(contentsOf: "\r\n".utf8)
        }
        head.append(contentsOf: "\r\n".utf8)
        isStarted = true
        try write(head)
    }

    private static func isPlain(_ text: String) -> Bool {
        text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }
    }

    /// Writes more of the body; libfcgi gathers it into records.
    public func write(_ bytes: [UInt8]) throws(FastCGIError) {
        var offset = 0
        while offset < bytes.count {
            let length = CInt(clamping: bytes.count - offset)
            let written = bytes.withUnsafeBytes { raw -> CInt in
                guard let start = raw.baseAddress else { return 0 }
                return FCGX_PutStr((start + offset).assumingMemoryBound(to: CChar.self), length, request.pointee.out)
            }
            guard written == length else { throw .connectionBroken }
            offset += Int(written)
        }
    }

    /// Sends what has been gathered so far.
    public func flush() throws(FastCGIError) {
        guard FCGX_FFlush(request.pointee.out) == 0 else { throw .connectionBroken }
    }
}
