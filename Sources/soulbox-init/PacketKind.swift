/// The first word of a packet. The isolator's view of the same is InitMessage.swift; READY, GO and FAILED are between it
/// and the program's process (CInit/child.c).
enum PacketKind {
    static let start: UInt32 = 1
    static let exited: UInt32 = 5
    static let killAll: UInt32 = 6
    static let done: UInt32 = 7
    static let version: UInt32 = 8
}

/// What this program speaks.
let protocolVersion: UInt32 = 1
