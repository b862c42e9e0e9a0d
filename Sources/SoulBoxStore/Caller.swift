/// Who a request comes from.
public struct Caller: Sendable, Equatable {
    /// The key, 16 bytes.
    public var keyID: [UInt8]
    /// The account that it belongs to, 16 bytes.
    public var accountID: [UInt8]
    /// What it may do.
    public var permissions: Set<Permission>

    /// Makes a caller.
    public init(keyID: [UInt8], accountID: [UInt8], permissions: Set<Permission>) {
        self.keyID = keyID
        self.accountID = accountID
        self.permissions = permissions
    }
}

/// What the database says of a credential.
public enum Admission: Sendable, Equatable {
    case admitted(Caller)
    /// Unknown, wrong, expired or revoked; nobody learns which.
    case unauthenticated
    case forbidden(missing: Permission)
}
