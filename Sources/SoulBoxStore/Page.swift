/// Which part of a list is wanted.
public struct Page: Sendable, Equatable {
    /// How many items at most.
    public var limit: Int
    /// How many items are skipped; nothing beside a cursor.
    public var offset: Int
    /// The item after which the page begins, 16 bytes; nil begins at the start.
    public var cursor: [UInt8]?

    /// Makes a page.
    public init(limit: Int = 50, offset: Int = 0, cursor: [UInt8]? = nil) {
        self.limit = limit
        self.offset = offset
        self.cursor = cursor
    }
}

/// A part of a list.
public struct Listing<Item: Sendable>: Sendable {
    /// The items.
    public var items: [Item]
    /// How many there are in all.
    public var total: Int64

    /// Makes a listing.
    public init(items: [Item], total: Int64) {
        self.items = items
        self.total = total
    }
}
