/// A snapshot that is to be taken.
public struct SnapshotRequest: Sendable, Equatable {
    /// Its identifier; a snapshot of that name that is there already is the answer.
    public var id: String
    /// The sandbox.
    public var sandbox: String
    /// The account of both.
    public var account: String
    /// The snapshot whose files this one only tells the differences from; nil for a complete one.
    public var parent: String?
    /// Whether what it holds is compressed (zstd).
    public var isCompressed: Bool
    /// Whether its processes are held too.
    public var includesMemory: Bool

    /// Makes a request.
    public init(
        id: String, sandbox: String, account: String, parent: String? = nil, isCompressed: Bool = false,
        includesMemory: Bool = false
    ) {
        self.id = id
        self.sandbox = sandbox
        self.account = account
        self.parent = parent
        self.isCompressed = isCompressed
        self.includesMemory = includesMemory
    }
}
