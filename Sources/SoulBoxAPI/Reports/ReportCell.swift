internal import SoulBoxModel

/// One value of a report, which both of its forms show.
enum ReportCell: Sendable, Equatable {
    case text(String?)
    case integer(Int64)
    /// A whole number of fractions of a unit, of which a power of ten with that many zeros make one.
    case decimal(Int64, places: Int)

    /// The value in JSON.
    var json: JSONValue {
        switch self {
        case .text(let text): JSONValue(text)
        case .integer(let value): .integer(value)
        case .decimal(let value, let places): .number(Double(value) / ReportCell.divisor(places))
        }
    }

    /// The value in CSV.
    var csv: CSVWriter.Field {
        switch self {
        case .text(let text): text.map { .text($0) } ?? .none
        case .integer(let value): .number(String(value))
        case .decimal(let value, let places):
            .number(ReportCell.decimals(value, places))
        }
    }

    private static func divisor(_ places: Int) -> Double { (0..<places).reduce(1) { value, _ in value * 10 } }

    /// Exactly, since what is added up again must give the same sum.
    private static func decimals(_ value: Int64, _ places: Int) -> String {
        let digits = String(value.magnitude)
        let padded = String(repeating: "0", count: max(0, places + 1 - digits.utf8.count)) + digits
        return (value < 0 ? "-" : "") + padded.dropLast(places) + "." + padded.suffix(places)
    }
}
