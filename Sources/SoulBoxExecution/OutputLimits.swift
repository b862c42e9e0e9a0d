/// How much of a program's output is kept, and how much is put up with.
public struct OutputLimits: Sendable, Equatable {
    /// Bytes of each stream that are kept; what follows is dropped while the program goes on.
    public var kept: Int

    /// Bytes dropped of all streams together after which the program is killed.
    public var dropped: Int

    /// Makes limits; the defaults are those of the API: 1 MiB a stream, 64 MiB dropped.
    public init(kept: Int = 1 << 20, dropped: Int = 64 << 20) {
        self.kept = kept
        self.dropped = dropped
    }
}
