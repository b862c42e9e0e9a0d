public import SoulBoxModel

/// Something that is to be sent to whoever a rule tells.
public struct WebhookDelivery: Sendable, Equatable {
    /// Where it stands.
    public enum Status: String, Sendable, CaseIterable { case pending, delivered, failed, cancelled }

    /// What an operator is shown of it.
    public struct Report: Sendable, Equatable {
        /// Its identifier, 16 bytes.
        public var id: [UInt8]
        /// What it tells of.
        public var event: String
        /// Where it stands.
        public var status: Status
        /// How often it was sent.
        public var attempts: Int64
        /// When it is sent next; nil when it is not.
        public var dueAt: Timestamp?
        /// When it was taken, or given up.
        public var finishedAt: Timestamp?
        /// The status that the last attempt was answered with.
        public var httpStatus: Int64?
        /// Why the last attempt failed.
        public var error: String?
    }

    /// Its identifier, 16 bytes.
    public var id: [UInt8]
    /// The rule, 16 bytes.
    public var ruleID: [UInt8]
    /// Where to.
    public var url: String
    /// What it is signed with, encrypted.
    public var sealedSecret: [UInt8]
    /// What is sent.
    public var body: String
    /// How often it has been taken to be sent, this time included.
    public var attempts: Int64

    /// Its identifier as receivers see it: the same in every attempt.
    public var identifier: String { Identifier.text(.delivery, uuid: id) }
}
