internal import Glibc
public import LinuxKernel
public import SoulBoxModel

/// One end of a Varlink connection over a unix stream socket, with descriptors beside the messages.
///
/// A message is a JSON object that ends with a NUL byte (varlink.org, "Method Call"). Stream sockets glue and split
/// messages, so descriptors are paired by rule: a message with descriptors starts a sendmsg(2) of its own, the receiver
/// queues descriptors in the order of arrival, and each message takes exactly as many as its fields name. Too few, one
/// left over, or a truncated control message is a violation, after which the connection must be closed.
///
/// Not for use by several threads at once.
public final class VarlinkConnection {
    /// The largest message in bytes; code and files travel in memfds beside it.
    public static let maximumMessage = 256 << 10

    /// The most descriptors beside one message.
    public static let maximumDescriptors = 16

    private let descriptor: Descriptor
    private var buffer: [UInt8] = []
    private var scanned = 0
    private var queue: [SharedDescriptor] = []
    private var ended = false

    /// Takes over a connected socket.
    public init(owning descriptor: consuming Descriptor) { self.descriptor = descriptor }

    /// What to wait on for input or hang-up.
    public var pollDescriptor: CInt { descriptor.rawValue }

    /// Whether the peer has closed its end.
    public var isEnded: Bool { ended }

    /// Sends one message, waiting as long as the peer takes to read.
    public func send(_ message: JSONValue, descriptors: [CInt] = []) throws(IsolationError) {
        var bytes = message.bytes
        bytes.append(0)
        guard bytes.count <= VarlinkConnection.maximumMessage, descriptors.count <= VarlinkConnection.maximumDescriptors
        else { throw IsolationError(.invalidSpec, "message of \(bytes.count) bytes is too large") }
        var sent = 0
        while sent < bytes.count {
            // The descriptors go with the first byte and are not sent again after a short write.
            let accompanying = sent == 0 ? descriptors : []
            let result = bytes.withUnsafeBytes { raw in
                Result { () throws(SystemCallError) in
                    try UnixSocket.send(
                        UnsafeRawBufferPointer(rebasing: raw[sent...]), descriptors: accompanying,
                        on: descriptor.rawValue)
                }
            }
            switch result {
            case .success(let count): sent += count
            case .failure(let error): throw IsolationError(.unavailable, error.description)
            }
        }
    }

    /// The next whole message, or nil when `wait` is false and none is here yet, or when the peer has closed.
    public func receive(wait: Bool) throws(IsolationError) -> JSONValue? {
        while true {
            if let message = try nextBuffered() { return message }
            if ended { return nil }
            guard try fill(wait: wait) else { return nil }
        }
    }

    /// Takes the descriptors that the message just received names.
    public func takeDescriptors(_ count: Int) throws(IsolationError) -> [SharedDescriptor] {
        guard count <= queue.count, count <= VarlinkConnection.maximumDescriptors else {
            throw IsolationError(.protocolViolation, "a message names \(count) descriptors, \(queue.count) came")
        }
        let taken = Array(queue.prefix(count))
        queue.removeFirst(count)
        if buffer.isEmpty, !queue.isEmpty {
            throw IsolationError(.protocolViolation, "descriptors that no message names")
        }
        return taken
    }

    private func nextBuffered() throws(IsolationError) -> JSONValue? {
        guard let end = buffer[scanned...].firstIndex(of: 0) else {
            scanned = buffer.count
            guard buffer.count < VarlinkConnection.maximumMessage else {
                throw IsolationError(.protocolViolation, "message too large")
            }
            return nil
        }
        defer {
            buffer.removeFirst(end + 1)
            scanned = 0
        }
        do {
            return try JSONParser.parse(Array(buffer[..<end]))
        } catch {
            throw IsolationError(.protocolViolation, error.description)
        }
    }

    private func fill(wait: Bool) throws(IsolationError) -> Bool {
        let outcome = withUnsafeTemporaryAllocation(byteCount: 65_536, alignment: 8) { chunk in
            Result { () throws(SystemCallError) in
                let message = try UnixSocket.receive(into: chunk, from: descriptor.rawValue, wait: wait)
                buffer.append(contentsOf: chunk[..<message.count])
                return message
            }
        }
        switch outcome {
        case .failure(let error) where error.errno == EAGAIN: return false
        case .failure(let error):
            ended = true
            throw IsolationError(.unavailable, error.description)
        case .success(let message):
            guard !message.truncated else { throw IsolationError(.protocolViolation, "truncated descriptors") }
            queue.append(contentsOf: message.descriptors)
            guard queue.count <= VarlinkConnection.maximumDescriptors * 2 else {
                throw IsolationError(.protocolViolation, "too many descriptors")
            }
            if message.count == 0 { ended = true }
            return true
        }
    }
}
