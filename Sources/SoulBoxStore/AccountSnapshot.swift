public import SoulBoxModel

/// A snapshot as the database knows it.
public struct AccountSnapshot: Sendable, Equatable {
    /// Where it stands.
    public enum Status: String, Sendable, CaseIterable { case creating, completed, failed, deleting }

    /// Whether its files are told by the differences from another's.
    public enum Form: String, Sendable, CaseIterable { case full, incremental }

    /// Its identifier, 16 bytes.
    public var id: [UInt8] = Identifier.makeUUID()
    /// The account it belongs to, 16 bytes.
    public var accountID: [UInt8]
    /// The sandbox it is of, 16 bytes; it may be gone.
    public var sandboxID: [UInt8]
    /// What its owner calls it.
    public var name: String
    /// What its owner says of it.
    public var description = ""
    /// Complete or not.
    public var form = Form.full
    /// The snapshot it is told by the differences from.
    public var parentID: [UInt8]?
    /// Whether it is compressed.
    public var isCompressed = false
    /// Whether it holds processes.
    public var includesMemory = false
    /// Names and values of its owner.
    public var tags = JSONObject([])
    /// Where it stands.
    public var status = Status.creating
    /// Why it failed.
    public var error: String?
    /// Bytes that are dealt with.
    public var doneBytes: Int64 = 0
    /// Bytes that are to be dealt with.
    public var totalBytes: Int64 = 0
    /// Bytes that it uses on the host's disk.
    public var sizeBytes: Int64?
    /// The size of the sandbox's disk.
    public var diskBytes: Int64
    /// How long the sandbox stood still, in microseconds.
    public var pauseMicroseconds: Int64?
    /// When it was asked for.
    public var createdAt = Timestamp.now
    /// When it is expected to be whole.
    public var estimatedAt = Timestamp.now
    /// When it was whole, or had failed.
    public var finishedAt: Timestamp?
    /// How often it was begun.
    public var attempts = 0

    /// Makes one that is to be taken.
    public init(accountID: [UInt8], sandboxID: [UInt8], name: String, diskBytes: Int64) {
        self.accountID = accountID
        self.sandboxID = sandboxID
        self.name = name
        self.diskBytes = diskBytes
    }

    /// Its identifier as the API writes it.
    public var identifier: String { Identifier.text(.snapshot, uuid: id) }
    /// Its sandbox's identifier.
    public var sandbox: String { Identifier.text(.sandbox, uuid: sandboxID) }
    /// Its account's identifier.
    public var account: String { Identifier.text(.account, uuid: accountID) }
    /// The identifier of the one it is told by the differences from.
    public var parent: String? { parentID.map { Identifier.text(.snapshot, uuid: $0) } }
}
