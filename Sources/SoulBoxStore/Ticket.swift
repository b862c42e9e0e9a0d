/// What the database needs to know to admit a request: who, for what, from where.
public struct Ticket: Sendable, Equatable {
    /// What the caller proves itself with.
    public var credential: Credential
    /// What the request needs; nil needs no permission beyond a good credential.
    public var permission: Permission?
    /// Which limit it counts against.
    public var rateClass: RateClass
    /// The client's address; empty when it has none.
    public var address: String
    /// The account that an administrator works for, 16 bytes; nil for the caller's own.
    public var acting: [UInt8]?
    /// The request, for the audit log.
    public var requestID: String

    /// Makes a ticket.
    public init(
        credential: Credential, permission: Permission?, rateClass: RateClass = .standard, address: String = "",
        acting: [UInt8]? = nil, requestID: String = ""
    ) {
        self.credential = credential
        self.permission = permission
        self.rateClass = rateClass
        self.address = address
        self.acting = acting
        self.requestID = requestID
    }
}
