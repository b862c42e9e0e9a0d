/// Refuses keys that nobody knows.
enum StrictKeys {
    private struct AnyKey: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    static func check<Key: CodingKey & CaseIterable>(_ decoder: any Decoder, _ keys: Key.Type) throws {
        let known = Set(Key.allCases.map(\.stringValue))
        for key in try decoder.container(keyedBy: AnyKey.self).allKeys where !known.contains(key.stringValue) {
            throw OperatorError(
                "unknown key \(key.stringValue)", advice: "Known here: " + known.sorted().joined(separator: ", ") + ".")
        }
    }

    /// A number that may be missing.
    ///
    /// - Parameter section: What the keys are below, for whoever reads the error.
    static func number<Key: CodingKey>(
        _ values: KeyedDecodingContainer<Key>, _ key: Key, in section: String, _ range: ClosedRange<Int>
    ) throws -> Int? {
        guard let value = try values.decodeIfPresent(Int.self, forKey: key) else { return nil }
        guard range.contains(value) else {
            throw OperatorError(
                "\(section).\(key.stringValue) is out of range: \(value)",
                advice: range.upperBound == .max
                    ? "Give a number of at least \(range.lowerBound)."
                    : "Give a number from \(range.lowerBound) to \(range.upperBound).")
        }
        return value
    }
}
