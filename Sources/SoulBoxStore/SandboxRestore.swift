internal import Postgres
public import SoulBoxModel

/// A sandbox becomes what a snapshot holds.
public struct SandboxRestore: Sendable, Equatable {
    /// Where that stands.
    public enum Status: String, Sendable, CaseIterable { case restoring, completed, failed }

    /// Names this one, 16 bytes: asked for again under the same name it is done once.
    public var id: [UInt8]
    /// The snapshot, 16 bytes; it may be gone when all is over.
    public var snapshotID: [UInt8]
    /// Whether processes go on too, and not the files alone.
    public var includesMemory: Bool
    /// Whether the sandbox reaches from then on what the snapshot's sandbox reached.
    public var takesNetwork: Bool
    /// Where it stands.
    public var status = Status.restoring
    /// Why it failed.
    public var error: String?
    /// When it was asked for.
    public var requestedAt = Timestamp.now
    /// When it was over.
    public var finishedAt: Timestamp?

    /// Makes one that is to be carried out.
    public init(snapshotID: [UInt8], includesMemory: Bool, takesNetwork: Bool) {
        id = Identifier.makeUUID()
        self.snapshotID = snapshotID
        self.includesMemory = includesMemory
        self.takesNetwork = takesNetwork
    }

    /// What a sandbox's row says; nil when it never was restored.
    init?(_ row: PostgresRow) throws(PostgresError) {
        guard let id = try row.optionalBytes("restore_id") else { return nil }
        guard let status = Status(rawValue: try row.text("restore_status")) else {
            throw PostgresError(.decoding, "unreadable restore")
        }
        self.init(
            snapshotID: try row.bytes("restore_snapshot"), includesMemory: try row.bool("restore_memory"),
            takesNetwork: try row.bool("restore_network"))
        self.id = id
        self.status = status
        error = try row.optionalText("restore_error")
        requestedAt = Timestamp(microseconds: try row.microseconds("restore_requested"))
        finishedAt = try row.optionalMicroseconds("restore_finished").map(Timestamp.init(microseconds:))
    }

    /// The snapshot's identifier as the API writes it.
    public var snapshot: String { Identifier.text(.snapshot, uuid: snapshotID) }
    /// Its own name as the isolation service is told.
    public var name: String { "restore_" + Identifier.body(id) }
}
