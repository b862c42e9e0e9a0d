/// Who a request comes from.
public struct Caller: Sendable, Equatable {
    /// The key, 16 bytes.
    public var keyID: [UInt8]
    /// The account that the request is for, 16 bytes.
    public var accountID: [UInt8]
    /// What it may do.
    public var permissions: Set<Permission>

    /// Makes a caller.
    public init(keyID: [UInt8], accountID: [UInt8], permissions: Set<Permission>) {
        self.keyID = keyID
        self.accountID = accountID
        self.permissions = permissions
    }

    /// Whether it may do that; an administrator may do everything.
    public func may(_ permission: Permission) -> Bool {
        permissions.contains(permission) || permissions.contains(.admin)
    }
}
