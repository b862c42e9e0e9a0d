/// What whoever holds an execution wants of it while it runs.
public enum LiveOrder: Sendable, Equatable {
    /// Send this signal to the program.
    case signal(Int32)
    /// Its terminal has that many rows and columns now.
    case resize(rows: UInt16, columns: UInt16)
}
