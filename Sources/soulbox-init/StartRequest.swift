import CInit
import CProgram

/// A START packet, checked: every length adds up, and nothing points outside the packet.
struct StartRequest {
    private static let stdinGiven: UInt32 = 1
    private static let endsWithConnection: UInt32 = 4
    private static let background: UInt32 = 8
    private static let handover: UInt32 = 16

    /// Whether it belongs to nobody's connection.
    let isBackground: Bool

    /// The number of its cgroup's leaf.
    let leaf: UInt32

    /// The program's arguments, each with its NUL; the beginning of many.
    let arguments: [UInt8]

    /// What to start; its pointers are valid as long as the packet is.
    var program = CProgram.program()

    /// Whether the sandbox ends when the connection closes while the program lives.
    let endsSandbox: Bool

    /// Reads the packet's body. nil when it is malformed, or when the descriptors are not as many as it says.
    init?(_ body: UnsafeRawBufferPointer, streams: [Int32]) {
        var reader = PacketReader(body)
        guard reader.word() == protocolVersion, let flags = reader.word(), let user = reader.word(),
            let group = reader.word(), let mask = reader.word(), let leafNumber = reader.word(),
            let limitCount = reader.word(), limitCount <= 16,
            let limits = reader.take(Int(limitCount) * 24), let first = reader.word(), let second = reader.word(),
            let arguments = reader.word(), let variables = reader.word(), let directoryCount = reader.word(),
            let stringsCount = reader.word()
        else { return nil }
        let maximum = UInt32(PROGRAM_MAXIMUM_STRINGS)
        guard user != 0, group != 0, first > 0, second > 0, first % 8 == 0, second % 8 == 0, first < 1 << 18,
            second < 1 << 18, arguments > 0, arguments <= maximum, variables <= maximum, directoryCount > 1,
            directoryCount <= 4096, stringsCount < 1 << 20
        else { return nil }
        guard let firstFilter = reader.take(Int(first)), let secondFilter = reader.take(Int(second)),
            let directory = reader.strings(1, in: Int(directoryCount)),
            let strings = reader.strings(Int(arguments + variables), in: Int(stringsCount)), reader.left == 0
        else { return nil }
        let hasStdin = flags & StartRequest.stdinGiven != 0
        isBackground = flags & StartRequest.background != 0
        // A background program's pipes are made here.
        let hasHandover = flags & StartRequest.handover != 0
        let standard = hasStdin ? 3 : 2
        guard streams.count == (isBackground ? 0 : standard + (hasHandover ? 2 : 0)) else { return nil }
        leaf = leafNumber
        self.arguments = StartRequest.prefix(of: strings, Int(arguments), in: Int(stringsCount))
        endsSandbox = flags & StartRequest.endsWithConnection != 0
        program.user = user
        program.group = group
        program.umask = mask & 0o777
        program.limit_count = limitCount
        program.limits = limits
        program.filters = (firstFilter, secondFilter)
        program.filter_bytes = (first, second)
        program.argument_count = arguments
        program.variable_count = variables
        program.strings = strings
        program.directory = directory
        program.handover = (-1, -1)
        guard !isBackground else { return }
        if hasHandover { program.handover = (streams[standard], streams[standard + 1]) }
        program.streams = hasStdin ? (streams[0], streams[1], streams[2]) : (-1, streams[0], streams[1])
    }

    /// The first strings, as many as fit into two kilobytes.
    private static func prefix(of strings: UnsafePointer<CChar>, _ number: Int, in count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        var left = number
        var index = 0
        while left > 0, index < count, bytes.count < 2047 {
            let byte = UInt8(bitPattern: strings[index])
            bytes.append(byte)
            if byte == 0 { left -= 1 }
            index += 1
        }
        if bytes.last != 0 { bytes.append(0) }
        return bytes
    }
}
