internal import Glibc

/// The packets between the isolator and soulbox-init, little endian, one SOCK_SEQPACKET packet each.
///
/// `CInit/CInit.h` is the other side's view of the same layout.
enum InitMessage {
    /// The version that both sides speak.
    static let version: UInt32 = 3

    /// What soulbox-init or a program's process tells.
    enum Received: Equatable {
        /// The program's process stands before its exec; the kernel vouches for its pid in the host's namespace, and `pid` is
        /// the one in its own.
        case ready(hostPID: pid_t, pid: Int32)
        /// It failed at this step.
        case failed(step: Int32, errno: Int32)
        /// It has ended, with this status of wait(2).
        case exited(status: Int32)
        /// What came of a request about a background program: a count, 0, or -errno.
        case done(result: Int32)
        /// The background programs.
        case list([BackgroundProgram])
        /// A piece of a background program's output, none when there is none; `isOver` when no more can come.
        case data(OutputPiece)
        /// What soulbox-init speaks.
        case version(UInt32)
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
        /// Whether two descriptors follow the streams, over which the program gets its work later.
        var hasHandover = false
        /// Whether nobody waits for it yet.
        var isAhead = false
        var endsSandboxOnHangUp: Bool
        var user: UInt32
        var group: UInt32
        var umask: UInt32
        var limits: [ResourceLimit]
        var filters: [[UInt8]]
        var arguments: [[UInt8]]
        var environment: [[UInt8]]
        var directory: [UInt8]
        /// Whether it belongs to nobody's connection; soulbox-init then holds its pipes.
        var isBackground = false
        /// The number of its cgroup's leaf.
        var leaf = 0
    }

    /// What a process that stands before its exec is to execute, told with "go".
    struct Work {
        var limits: [ResourceLimit]
        var arguments: [[UInt8]]
        var environment: [[UInt8]]
    }

    /// A background program as soulbox-init knows it.
    struct BackgroundProgram: Equatable {
        /// Its process in the sandbox's pid namespace.
        let pid: Int32
        /// The number of its cgroup's leaf.
        let leaf: Int
        /// When it was started, in microseconds since 1970.
        let startedAt: Int64
        /// The status of wait(2); nil while it runs.
        let status: Int32?
        /// How many bytes it has written.
        let total: UInt64
        /// Its arguments, the beginning of many.
        let arguments: [String]
    }

    /// A piece of a background program's output.
    struct OutputPiece: Equatable {
        /// Whether no more can come.
        let isOver: Bool
        /// 1 for standard output, 2 for standard error, 0 for nothing.
        let stream: UInt32
        /// How many bytes of both streams came before.
        let offset: UInt64
        let bytes: [UInt8]
    }

    static func encode(_ start: Start) -> [UInt8] {
        var body: [UInt8] = []
        func append(_ value: UInt32) {
            for shift in 0..<4 { body.append(UInt8(truncatingIfNeeded: value >> UInt32(8 * shift))) }
        }
        append(version)
        append(
            UInt32(start.hasStdin ? 1 : 0) | 2 | (start.endsSandboxOnHangUp ? 4 : 0) | (start.isBackground ? 8 : 0)
                | (start.hasHandover ? 16 : 0) | (start.isAhead ? 32 : 0))
        append(start.user)
        append(start.group)
        append(start.umask)
        append(UInt32(start.leaf))
        append(UInt32(start.limits.count))
        body += start.limits.flatMap(bytes)
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

    /// Lets a process go on to its exec of something else than it was started for.
    static func go(_ work: Work) -> [UInt8] {
        let strings = [UInt8]((work.arguments + work.environment).map { $0 + [0] }.joined())
        let counts = [work.limits.count, work.arguments.count, work.environment.count, strings.count]
        return packet(3, words(counts.map { UInt32($0) }) + work.limits.flatMap(bytes) + strings)
    }

    private static func bytes(_ limit: ResourceLimit) -> [UInt8] {
        // Halves of the two numbers, the lower first.
        words(
            [limit.resource, 0]
                + [limit.soft, limit.soft >> 32, limit.hard, limit.hard >> 32].map(UInt32.init(truncatingIfNeeded:)))
    }

    /// Has PID 1 tell on this connection how a process ends that a zygote forked into the sandbox.
    static func adopt(_ pid: Int32) -> [UInt8] { packet(15, words([UInt32(bitPattern: pid)])) }

    /// Lets others look into PID 1, or not.
    static func inspect(allows: Bool) -> [UInt8] { packet(16, words([allows ? 1 : 0])) }

    /// Asks for the background programs.
    static let list = packet(9, [])

    /// Asks what soulbox-init speaks.
    static let askVersion = packet(8, [])

    /// Asks for output of a background program after an offset; `waits` until there is some.
    static func read(_ pid: Int32, after offset: UInt64, waits: Bool) -> [UInt8] {
        packet(
            10,
            words([
                UInt32(bitPattern: pid), UInt32(truncatingIfNeeded: offset), UInt32(truncatingIfNeeded: offset >> 32),
                waits ? 1 : 0,
            ]))
    }

    /// Writes to a background program's input.
    static func write(_ pid: Int32, _ bytes: [UInt8], closes: Bool) -> [UInt8] {
        packet(11, words([UInt32(bitPattern: pid), closes ? 1 : 0]) + bytes)
    }

    /// Sends a background program a signal.
    static func signal(_ pid: Int32, _ number: Int32) -> [UInt8] {
        packet(12, words([UInt32(bitPattern: pid), UInt32(bitPattern: number)]))
    }

    /// Forgets a background program that has ended.
    static func forget(_ pid: Int32) -> [UInt8] { packet(13, words([UInt32(bitPattern: pid)])) }

    private static func words(_ values: [UInt32]) -> [UInt8] {
        values.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value >> UInt32(8 * $0)) } }
    }

    static func decode(_ packet: [UInt8], sender: pid_t?) -> Received? {
        guard packet.count >= 8 else { return nil }
        func word(_ offset: Int) -> UInt32 {
            (0..<4).reduce(0) { $0 | UInt32(packet[offset + $1]) << UInt32(8 * $1) }
        }
        let length = Int(word(4))
        guard packet.count == 8 + length else { return nil }
        switch word(0) {
        case 2:
            guard let sender, sender > 0, length >= 4 else { return nil }
            return .ready(hostPID: sender, pid: Int32(bitPattern: word(8)))
        case 4 where length >= 8:
            return .failed(step: Int32(bitPattern: word(8)), errno: Int32(bitPattern: word(12)))
        case 5 where length >= 4: return .exited(status: Int32(bitPattern: word(8)))
        case 7: return .done(result: length >= 4 ? Int32(bitPattern: word(8)) : 0)
        case 8 where length >= 4: return .version(word(8))
        case 9: return decodeList(Array(packet[8...]))
        case 14 where length >= 16:
            return .data(
                OutputPiece(
                    isOver: word(8) != 0, stream: word(12), offset: UInt64(word(16)) | UInt64(word(20)) << 32,
                    bytes: Array(packet[24...])))
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

    private static func decodeList(_ body: [UInt8]) -> Received? {
        var rest = body[...]
        func word() -> UInt32? {
            guard rest.count >= 4 else { return nil }
            defer { rest = rest.dropFirst(4) }
            return (0..<4).reduce(0) { $0 | UInt32(rest[rest.startIndex + $1]) << UInt32(8 * $1) }
        }
        func long() -> UInt64? {
            guard let low = word(), let high = word() else { return nil }
            return UInt64(low) | UInt64(high) << 32
        }
        guard let count = word(), count <= 1024 else { return nil }
        var programs: [BackgroundProgram] = []
        for _ in 0..<count {
            guard let pid = word(), let leaf = word(), let startedAt = long(), let isOver = word(), let status = word(),
                let total = long(), let length = word(), length <= rest.count
            else { return nil }
            let arguments = rest.prefix(Int(length)).split(separator: 0, omittingEmptySubsequences: false).dropLast()
            rest = rest.dropFirst(Int(length))
            programs.append(
                BackgroundProgram(
                    pid: Int32(bitPattern: pid), leaf: Int(leaf), startedAt: Int64(clamping: startedAt),
                    status: isOver == 0 ? nil : Int32(bitPattern: status), total: total,
                    arguments: arguments.map { String(decoding: $0, as: UTF8.self) }))
        }
        return rest.isEmpty ? .list(programs) : nil
    }
}
