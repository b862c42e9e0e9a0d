internal import CPostgres
internal import Glibc

/// The answer to a statement (PQclear in `deinit`).
public final class PostgresResult {
    let pointer: OpaquePointer
    private var next: CInt = 0

    init(owning pointer: OpaquePointer) { self.pointer = pointer }

    deinit { PQclear(pointer) }

    /// The column of that name, or -1.
    ///
    /// Columns are mostly asked for in their order: the one after the last is looked at first, since PQfnumber compares
    /// the name, in lower case and in new memory each time, with all of them.
    func column(_ name: String) -> CInt {
        var column = next
        if column >= PQnfields(pointer) || strcmp(PQfname(pointer, column), name) != 0 {
            column = PQfnumber(pointer, name)
        }
        next = column + 1
        return column
    }

    /// How many rows it has.
    public var count: Int { Int(PQntuples(pointer)) }

    /// How many rows the statement changed.
    public var changed: Int { Int(String(cString: PQcmdTuples(pointer))) ?? 0 }

    /// The rows.
    public var rows: [PostgresRow] { (0..<PQntuples(pointer)).map { PostgresRow(result: self, index: $0) } }

    /// The first row, if any.
    public var first: PostgresRow? { count > 0 ? PostgresRow(result: self, index: 0) : nil }
}
