/// A failure of the database or on the way to it.
///
/// Its description holds no data and no statement, so that it may go into a log.
public struct PostgresError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kinds that callers tell apart.
    public enum Kind: Sendable, Equatable {
        /// No connection, or it broke.
        case connection
        /// Every connection of the pool was in use for too long.
        case poolExhausted
        /// The statement took too long.
        case timeout
        /// The server refused the statement; `sqlState` says why.
        case statement
        /// A column is not what was asked for.
        case decoding
        /// The migrations do not fit the database.
        case migration
    }

    /// What kind.
    public let kind: Kind

    /// The server's five-character code (appendix A of its manual); empty when none was given.
    public let sqlState: String

    /// More, without data.
    public let message: String

    /// What the server said, which may quote data: for an operator who asked, never for a log.
    public let serverMessage: String?

    /// Makes an error.
    public init(_ kind: Kind, sqlState: String = "", _ message: String, serverMessage: String? = nil) {
        self.kind = kind
        self.sqlState = sqlState
        self.message = message
        self.serverMessage = serverMessage
    }

    /// Kind, code and message.
    public var description: String { "\(kind)" + (sqlState.isEmpty ? "" : " \(sqlState)") + ": \(message)" }
}
