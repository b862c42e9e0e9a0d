internal import Glibc

/// The packets between the isolator and soulbox-init, little endian, one SOCK_SEQPACKET packet each.
///
/// `CInit/CInit.h` is the other side's view of the same layout.
enum InitMessage {
    /// The version that both sides speak.
    static let version: UInt32 = 1

    /// What soulbox-init or a program's process tells.
    enum Received: Equatable {
        /// The program's process stands before its exec; the kernel vouches for its pid in the host's namespace.
        case ready(hostPID: pid_t)
        /// It failed at this step.
        case failed(step: Int32, errno: Int32)
        /// It has ended, with this status of wait(2).
        case exited(status: Int32)
    }

    /// A resource limit.
    struct ResourceLimit: Equatable {
        let resource: UInt32
        let soft: UInt64
        let hard: UInt64
    }

    /// A program to start.
    struct Start {
        var hasStdin: Bool
        var endsSandboxOnHangUp: Bool
        var user: UInt32
        var group: UInt32
        var umask: UInt32
        var limits: [ResourceLimit]
        var filters: [[UInt8]]
        var arguments: [[UInt8]]
        var environment: [[UInt8]]
        var directory: [UInt8]
    }

    static func encode(_ start: Start) -> [UInt8] {
        var body: [UInt8] = []
        func append(_ value: UInt32) {
            for shift in 0..<4 { body.append(UInt8(truncatingIfNeeded: value >> UInt32(8 * shift))) }
        }
        func append(_ value: UInt64) {
            for shift in 0..<8 { body.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * shift))) }
        }
        append(version)
        append(UInt32(start.hasStdin ? 1 : 0) | 2 | (start.endsSandboxOnHangUp ? 4 : 0))
        append(start.user)
        append(start.group)
        append(start.umask)
        append(UInt32(start.limits.count))
        for limit in start.limits {
            append(limit.resource)
            append(UInt32(0))
            append(limit.soft)
            append(limit.hard)
        }
        let directory = start.directory + [0]
        let strings = [UInt8]((start.arguments + start.environment).map { $0 + [0] }.joined())
        for filter in start.filters { append(UInt32(filter.count)) }
        append(UInt32(start.arguments.count))
        append(UInt32(start.environment.count))
        append(UInt32(directory.count))
        append(UInt32(strings.count))
        for filter in start.filters { body.append(contentsOf: filter) }
        body.append(contentsOf: directory)
        body.append(contentsOf: strings)
        return packet(1, body)
    }

    /// Lets the program's process go on to its exec.
    static let go = packet(3, [])

    static func decode(_ packet: [UInt8], sender: pid_t?) -> Received? {
        guard packet.count >= 8 else { return nil }
        func word(_ offset: Int) -> UInt32 {
            (0..<4).reduce(0) { $0 | UInt32(packet[offset + $1]) << UInt32(8 * $1) }
        }
        let length = Int(word(4))
        guard packet.count == 8 + length else { return nil }
        switch word(0) {
        case 2:
            guard let sender, sender > 0 else { return nil }
            return .ready(hostPID: sender)
        case 4 where length >= 8:
            return .failed(step: Int32(bitPattern: word(8)), errno: Int32(bitPattern: word(12)))
        case 5 where length >= 4: return .exited(status: Int32(bitPattern: word(8)))
        default: return nil
        }
    }

    private static func packet(_ kind: UInt32, _ body: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(8 + body.count)
        for value in [kind, UInt32(body.count)] {
            for shift in 0..<4 { bytes.append(UInt8(truncatingIfNeeded: value >> UInt32(8 * shift))) }
        }
        return bytes + body
    }
}
