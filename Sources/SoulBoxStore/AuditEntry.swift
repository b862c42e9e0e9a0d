public import SoulBoxModel

/// A line of the audit log: one call that changed something, or tried to.
public struct AuditEntry: Sendable, Equatable {
    /// Its identifier, 16 bytes.
    public var id: [UInt8]
    /// When.
    public var at: Timestamp
    /// For which account, 16 bytes.
    public var accountID: [UInt8]?
    /// By which key, 16 bytes.
    public var keyID: [UInt8]?
    /// The request.
    public var requestID: String
    /// From where; empty when that is not known.
    public var address: String
    /// The method.
    public var method: String
    /// The path, without its query.
    public var path: String
    /// The status that the caller was told.
    public var status: Int

    /// Makes an entry of this moment.
    public init(
        accountID: [UInt8]?, keyID: [UInt8]?, requestID: String, address: String, method: String, path: String,
        status: Int
    ) {
        id = Identifier.makeUUID()
        at = .now
        self.accountID = accountID
        self.keyID = keyID
        self.requestID = requestID
        self.address = address
        self.method = method
        self.path = path
        self.status = status
    }
}
