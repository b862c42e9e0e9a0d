/// The size of a terminal in characters (ioctl_tty(2), TIOCSWINSZ).
public struct TerminalSize: Sendable, Equatable {
    /// Lines.
    public var rows: UInt16
    /// Characters in a line.
    public var columns: UInt16

    /// Makes a size; the defaults are those of the oldest terminals.
    public init(rows: UInt16 = 24, columns: UInt16 = 80) {
        self.rows = rows
        self.columns = columns
    }
}
