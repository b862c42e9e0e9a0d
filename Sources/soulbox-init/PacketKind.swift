/// The first word of a packet. The isolator's view of the same is InitMessage.swift; READY, GO and FAILED are between it
/// and the program's process (CInit/child.c).
enum PacketKind {
    static let start: UInt32 = 1
    static let exited: UInt32 = 5
    static let killAll: UInt32 = 6
    static let done: UInt32 = 7
    static let version: UInt32 = 8
    static let list: UInt32 = 9
    static let read: UInt32 = 10
    static let write: UInt32 = 11
    static let signal: UInt32 = 12
    static let forget: UInt32 = 13
    static let data: UInt32 = 14
    static let adopt: UInt32 = 15
    static let inspect: UInt32 = 16
}

/// What this program speaks.
let protocolVersion: UInt32 = 3
