internal import CPostgres

/// One row of an answer; columns are found by name.
public struct PostgresRow {
    let result: PostgresResult
    let index: Int32

    private func value(_ name: String) throws(PostgresError) -> UnsafeRawBufferPointer? {
        let column = result.column(name)
        guard column >= 0 else { throw PostgresError(.decoding, "no column \(name)") }
        guard PQgetisnull(result.pointer, index, column) == 0 else { return nil }
        return UnsafeRawBufferPointer(
            start: PQgetvalue(result.pointer, index, column), count: Int(PQgetlength(result.pointer, index, column)))
    }

    private func required<Value>(_ name: String, _ value: Value?) throws(PostgresError) -> Value {
        guard let value else { throw PostgresError(.decoding, "\(name) is null") }
        return value
    }

    /// A text column, or null.
    public func optionalText(_ name: String) throws(PostgresError) -> String? {
        try value(name).map { String(decoding: $0, as: UTF8.self) }
    }

    /// A text column.
    public func text(_ name: String) throws(PostgresError) -> String { try required(name, optionalText(name)) }

    /// A column of two, four or eight bytes of integer, or null.
    public func optionalInteger(_ name: String) throws(PostgresError) -> Int64? {
        guard let raw = try value(name) else { return nil }
        guard [2, 4, 8].contains(raw.count), let first = raw.first else {
            throw PostgresError(.decoding, "\(name) is no integer")
        }
        // Big-endian two's complement, sign-extended.
        return raw.reduce(first & 0x80 == 0 ? 0 : -1) { $0 << 8 | Int64($1) }
    }

    /// An integer column.
    public func integer(_ name: String) throws(PostgresError) -> Int64 { try required(name, optionalInteger(name)) }

    /// A `timestamptz` column in microseconds since 1970, or null.
    ///
    /// The wire has them since 2000 (PostgreSQL's documentation, "Date/Time Types": 8 bytes of microseconds).
    public func optionalMicroseconds(_ name: String) throws(PostgresError) -> Int64? {
        try optionalInteger(name).map { $0 + 946_684_800_000_000 }
    }

    /// A `timestamptz` column in microseconds since 1970.
    public func microseconds(_ name: String) throws(PostgresError) -> Int64 {
        try required(name, optionalMicroseconds(name))
    }

    /// A `double precision` column, or null.
    public func optionalNumber(_ name: String) throws(PostgresError) -> Double? {
        guard let raw = try value(name) else { return nil }
        guard raw.count == 8 else { throw PostgresError(.decoding, "\(name) is no double") }
        return Double(bitPattern: raw.reduce(0) { $0 << 8 | UInt64($1) })
    }

    /// A `double precision` column.
    public func number(_ name: String) throws(PostgresError) -> Double { try required(name, optionalNumber(name)) }

    /// A boolean column.
    public func bool(_ name: String) throws(PostgresError) -> Bool {
        guard let raw = try value(name), raw.count == 1 else { throw PostgresError(.decoding, "\(name) is no boolean") }
        return raw[0] != 0
    }

    /// A `bytea` or `uuid` column, or null.
    public func optionalBytes(_ name: String) throws(PostgresError) -> [UInt8]? { try value(name).map(Array.init) }

    /// A `bytea` or `uuid` column.
    public func bytes(_ name: String) throws(PostgresError) -> [UInt8] { try required(name, optionalBytes(name)) }

    /// A `text[]` column without nulls in it; empty when null.
    public func textArray(_ name: String) throws(PostgresError) -> [String] {
        guard let raw = try value(name) else { return [] }
        func word(_ offset: Int) -> Int { (0..<4).reduce(0) { $0 << 8 | Int(raw[offset + $1]) } }
        // Binary array: dimensions, flags, element type; then each dimension's length and lower bound.
        guard raw.count >= 12, word(0) == 1, raw.count >= 20 else { return [] }
        var offset = 20
        var values: [String] = []
        for _ in 0..<word(12) {
            guard raw.count >= offset + 4 else { throw PostgresError(.decoding, "\(name) is malformed") }
            let length = word(offset)
            offset += 4
            guard raw.count >= offset + length else { throw PostgresError(.decoding, "\(name) is malformed") }
            values.append(String(decoding: raw[offset..<offset + length], as: UTF8.self))
            offset += length
        }
        return values
    }
}
