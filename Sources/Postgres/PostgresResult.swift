internal import CPostgres

/// The answer to a statement (PQclear in `deinit`).
public final class PostgresResult {
    let pointer: OpaquePointer

    init(owning pointer: OpaquePointer) { self.pointer = pointer }

    deinit { PQclear(pointer) }

    /// How many rows it has.
    public var count: Int { Int(PQntuples(pointer)) }

    /// How many rows the statement changed.
    public var changed: Int { Int(String(cString: PQcmdTuples(pointer))) ?? 0 }

    /// The rows.
    public var rows: [PostgresRow] { (0..<PQntuples(pointer)).map { PostgresRow(result: self, index: $0) } }

    /// The first row, if any.
    public var first: PostgresRow? { count > 0 ? PostgresRow(result: self, index: 0) : nil }
}
