import CInit

/// A START packet, checked: every length adds up, and nothing points outside the packet.
struct StartRequest {
    private static let stdinGiven: UInt32 = 1
    private static let endsWithConnection: UInt32 = 4

    /// What to start; its pointers are valid as long as the packet is.
    var program = init_program()

    /// Whether the sandbox ends when the connection closes while the program lives.
    let endsSandbox: Bool

    /// Reads the packet's body. nil when it is malformed, or when the descriptors are not as many as it says.
    init?(_ body: UnsafeRawBufferPointer, streams: [Int32]) {
        var reader = PacketReader(body)
        guard reader.word() == protocolVersion, let flags = reader.word(), let user = reader.word(),
            let group = reader.word(), let mask = reader.word(), let limitCount = reader.word(), limitCount <= 16,
            let limits = reader.take(Int(limitCount) * 24), let first = reader.word(), let second = reader.word(),
            let arguments = reader.word(), let variables = reader.word(), let directoryCount = reader.word(),
            let stringsCount = reader.word()
        else { return nil }
        let maximum = UInt32(INIT_MAXIMUM_STRINGS)
        guard user != 0, group != 0, first > 0, second > 0, first % 8 == 0, second % 8 == 0, first < 1 << 18,
            second < 1 << 18, arguments > 0, arguments <= maximum, variables <= maximum, directoryCount > 1,
            directoryCount <= 4096, stringsCount < 1 << 20
        else { return nil }
        guard let firstFilter = reader.take(Int(first)), let secondFilter = reader.take(Int(second)),
            let directory = reader.strings(1, in: Int(directoryCount)),
            let strings = reader.strings(Int(arguments + variables), in: Int(stringsCount)), reader.left == 0
        else { return nil }
        let hasStdin = flags & StartRequest.stdinGiven != 0
        guard streams.count == (hasStdin ? 3 : 2) else { return nil }
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
        program.streams = hasStdin ? (streams[0], streams[1], streams[2]) : (-1, streams[0], streams[1])
    }
}
