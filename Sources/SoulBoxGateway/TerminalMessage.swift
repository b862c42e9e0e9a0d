internal import SoulBoxAPI
internal import SoulBoxModel

/// What messages say of terminals.
enum TerminalMessage {
    /// The size that an object names by `rows` and `columns`.
    static func size(_ object: JSONObject) throws(APIError) -> TerminalSize {
        func number(_ name: String, _ standard: UInt16) throws(APIError) -> UInt16 {
            guard let value = object[name], !value.isNull else { return standard }
            guard let number = value.integerValue, (1...1000).contains(number) else {
                throw .malformed(name, "Must be an integer from 1 to 1000")
            }
            return UInt16(number)
        }
        return TerminalSize(rows: try number("rows", 24), columns: try number("columns", 80))
    }
}
