/// What a watcher of an execution is told, one after the other.
public enum LiveItem: Sendable {
    /// It begins.
    case started
    /// It printed something.
    case output(OutputPiece)
    /// Pieces that the watcher wanted are kept no more: the numbers of the first and of the last.
    case dropped(from: Int64, through: Int64)
    /// The output is told from its beginning: what was told before counts no more.
    case reset
    /// Another watcher has taken its place; nothing follows.
    case displaced
    /// It has ended; nothing follows. The number is one above the last piece's.
    case ended(LiveEnd, sequence: Int64)

    /// Whether nothing follows.
    public var isLast: Bool {
        switch self {
        case .displaced, .ended: true
        default: false
        }
    }
}
