public import SoulBoxModel

/// How far a snapshot is.
public struct SnapshotProgress: Sendable, Equatable {
    /// What is being done: `files memory packing verifying`.
    public var phase: String
    /// Bytes that are dealt with, of all phases together.
    public var doneBytes: Int64
    /// Bytes that are to be dealt with, as far as is known.
    public var totalBytes: Int64

    /// Makes one.
    public init(phase: String, doneBytes: Int64, totalBytes: Int64) {
        self.phase = phase
        self.doneBytes = doneBytes
        self.totalBytes = totalBytes
    }

    /// The Varlink type `SnapshotProgress`.
    public var json: JSONValue {
        ["phase": .string(phase), "done": .integer(doneBytes), "total": .integer(totalBytes)]
    }

    /// Nil when a field is missing.
    public init?(json: JSONValue) {
        guard let phase = json["phase"]?.stringValue, let done = json["done"]?.integerValue,
            let total = json["total"]?.integerValue
        else { return nil }
        self.init(phase: phase, doneBytes: done, totalBytes: total)
    }
}
