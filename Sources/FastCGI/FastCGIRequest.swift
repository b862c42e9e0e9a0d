internal import CFastCGI
internal import Glibc

/// One request of the web server, for the thread that accepted it and for as long as its handler runs.
///
/// The body is read as a stream: nothing is held that the handler did not ask for.
public final class FastCGIRequest {
    private let request: UnsafeMutablePointer<FCGX_Request>
    private var bytesRead = 0
    private var isBodyEnded = false

    /// The length of the body that the web server announced, in bytes; nil when it is missing or no number.
    public let contentLength: Int?

    init(_ request: UnsafeMutablePointer<FCGX_Request>) {
        self.request = request
        contentLength = FCGX_GetParam("CONTENT_LENGTH", request.pointee.envp).flatMap { text in
            // nginx sends an empty text for a request without a body.
            text.pointee == 0 ? 0 : Int(String(cString: text)).flatMap { $0 >= 0 ? $0 : nil }
        }
    }

    /// The CGI variable of that name (RFC 3875, section 4.1), as `REQUEST_URI` or `HTTP_ACCEPT`; nil when absent.
    public func parameter(_ name: String) -> String? {
        FCGX_GetParam(name, request.pointee.envp).map { String(cString: $0) }
    }

    /// A header field, by its name in whatever case; nil when absent. It is in the CGI variable `HTTP_` and the name in capitals
    /// (RFC 3875, section 4.1.18), which is put together in place: a request asks for many.
    public func header(_ name: String) -> String? {
        if name.utf8.count == 12 || name.utf8.count == 14 {
            switch name.lowercased() {
            case "content-type": return parameter("CONTENT_TYPE")
            case "content-length": return parameter("CONTENT_LENGTH")
            default: break
            }
        }
        let prefix: StaticString = "HTTP_"
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: prefix.utf8CodeUnitCount + name.utf8.count + 1) {
            variable in
            var count = 0
            func append(_ byte: UInt8) {
                variable[count] = byte
                count += 1
            }
            prefix.withUTF8Buffer { for byte in $0 { append(byte) } }
            for byte in name.utf8 {
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"): append(byte - 0x20)
                case UInt8(ascii: "-"): append(UInt8(ascii: "_"))
                default: append(byte)
                }
            }
            append(0)
            guard let start = variable.baseAddress else { return nil }
            return start.withMemoryRebound(to: CChar.self, capacity: count) {
                FCGX_GetParam($0, request.pointee.envp).map { String(cString: $0) }
            }
        }
    }

    /// The connection to the web server: poll(2) it for `POLLRDHUP` to see that the client has gone.
    public var clientDescriptor: CInt { request.pointee.ipcFd }

    /// Reads the next bytes of the body into a buffer that is not empty.
    ///
    /// - Returns: How many bytes were read; 0 at the end of the body.
    /// - Throws: `bodyTooShort` when the body ends early, `connectionBroken` when the web server broke the protocol.
    public func read(into buffer: UnsafeMutableRawBufferPointer) throws(FastCGIError) -> Int {
        guard !isBodyEnded, let start = buffer.baseAddress, !buffer.isEmpty else { return 0 }
        let capacity = CInt(clamping: buffer.count)
        let count = Int(FCGX_GetStr(start.assumingMemoryBound(to: CChar.self), capacity, request.pointee.in))
        bytesRead += max(count, 0)
        guard count < Int(capacity) else { return count }
        // Fewer bytes than asked for is libfcgi's only word for the end, an orderly one or not.
        isBodyEnded = true
        guard FCGX_GetError(request.pointee.in) == 0 else { throw .connectionBroken }
        if let contentLength, bytesRead < contentLength { throw .bodyTooShort }
        return count
    }

    /// Makes the connection fit for its next request: what is left of the body is read and thrown away.
    ///
    /// A long rest is not worth reading: the connection is closed instead.
    func discardBody(atMost limit: Int = 1 << 20) {
        var left = limit
        withUnsafeTemporaryAllocation(byteCount: 16_384, alignment: 1) { scratch in
            while !isBodyEnded, left > 0 {
                guard let count = try? read(into: scratch) else { break }
                left -= count
            }
        }
        if !isBodyEnded { request.pointee.keepConnection = 0 }
    }
}
