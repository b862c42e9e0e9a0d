public import SoulBoxModel

/// A user's template as the database knows it.
public struct AccountTemplate: Sendable, Equatable {
    /// Its identifier, 16 bytes.
    public var id: [UInt8]
    /// The account it belongs to, 16 bytes.
    public var accountID: [UInt8]
    /// What its owner calls it, known once among the account's templates.
    public var name: String
    /// Its language.
    public var runtime: Runtime
    /// What new sandboxes are made from; nil before the first build has succeeded.
    public var version: Int?
    /// The version that was asked for last.
    public var newest: TemplateVersion
    /// The version that is to be shown: the one that sandboxes are made from, or the newest while there is none.
    public var shown: TemplateVersion
    /// When it was made.
    public var createdAt: Timestamp
    /// When it was changed last.
    public var updatedAt: Timestamp

    /// Its identifier as the API writes it.
    public var identifier: String { Identifier.text(.template, uuid: id) }

    /// Its account's identifier as the isolation service is told.
    public var account: String { Identifier.text(.account, uuid: accountID) }

    /// The image that new sandboxes are made from; nil while there is none.
    public var image: TemplateImageName? {
        version.map { TemplateImageName(template: identifier, version: $0) }
    }
}
