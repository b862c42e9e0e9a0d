internal import CLinux
internal import Glibc

/// A socket to a part of the kernel that is configured by messages (netlink(7)).
///
/// It belongs to the network namespace of the thread that opened it, wherever it is used.
public struct NetlinkSocket: ~Copyable {
    /// The parts.
    public enum Family: CInt, Sendable {
        /// Links, addresses, routes (rtnetlink(7)).
        case route = 0
        /// The packet filter and connection tracking.
        case netfilter = 12
    }

    private static let error: UInt16 = 2
    private static let done: UInt16 = 3

    private let descriptor: Descriptor
    private var sequence: UInt32 = 0

    /// Opens one.
    public init(_ family: Family) throws(SystemCallError) {
        let raw = soulbox_netlink(family.rawValue)
        guard raw >= 0 else { throw SystemCallError(call: "netlink", errno: errno) }
        descriptor = Descriptor(owning: raw)
        // The kernel answers within the call that sends; an answer that does not come must not hold a thread for ever.
        var limit = timeval(tv_sec: 5, tv_usec: 0)
        setsockopt(raw, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    /// Sends a request and waits for the kernel's word on it. Gives how many messages answered a dump.
    @discardableResult
    public mutating func request(_ message: NetlinkMessage, _ name: String) throws(SystemCallError) -> Int {
        sequence += 1
        let bytes = message.finished(sequence: sequence)
        let sent = bytes.withUnsafeBytes {
            send(descriptor.rawValue, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
        }
        guard sent == bytes.count else { throw SystemCallError(call: name, errno: sent < 0 ? errno : EMSGSIZE) }
        var answers = 0
        var buffer = [UInt8](repeating: 0, count: 32_768)
        while true {
            let count = buffer.withUnsafeMutableBytes { recv(descriptor.rawValue, $0.baseAddress, $0.count, 0) }
            guard count >= 0 else {
                if errno == EINTR { continue }
                throw SystemCallError(call: name, errno: errno)
            }
            var rest = buffer[..<count]
            while let answer = NetlinkSocket.next(&rest) {
                guard answer.sequence == sequence else { continue }
                switch answer.type {
                case NetlinkSocket.error:
                    let code =
                        answer.payload.count >= 4 ? Int32(bitPattern: NetlinkSocket.number(answer.payload)) : -EPROTO
                    guard code == 0 else { throw SystemCallError(call: name, errno: -code) }
                    return answers
                case NetlinkSocket.done: return answers
                default: answers += 1
                }
            }
        }
    }

    private static func next(
        _ bytes: inout ArraySlice<UInt8>
    ) -> (type: UInt16, sequence: UInt32, payload: ArraySlice<UInt8>)? {
        guard bytes.count >= NetlinkMessage.headerBytes else { return nil }
        let length = Int(number(bytes))
        guard length >= NetlinkMessage.headerBytes, length <= bytes.count else { return nil }
        let start = bytes.startIndex
        let type = UInt16(bytes[start + 4]) | UInt16(bytes[start + 5]) << 8
        let sequence = number(bytes[(start + 8)...])
        let payload = bytes[(start + NetlinkMessage.headerBytes)..<(start + length)]
        bytes = bytes.dropFirst(min(bytes.count, (length + 3) / 4 * 4))
        return (type, sequence, payload)
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        bytes.withUnsafeBytes { $0.loadUnaligned(as: UInt32.self) }
    }
}
