extension QueryReader {
    /// A span of time as `30s`, `5m`, `1h` or `7d`, in seconds.
    mutating func duration(_ name: String, _ range: ClosedRange<Int>, _ validation: inout Validation) -> Int? {
        guard let text = text(name) else { return nil }
        guard let seconds = Self.seconds(text), range.contains(seconds) else {
            validation.fail(
                name, "Must be from \(Self.text(range.lowerBound)) to \(Self.text(range.upperBound)), as 5m, 1h or 7d")
            return nil
        }
        return seconds
    }

    private static func seconds(_ text: String) -> Int? {
        let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        let digits = text.dropLast()
        guard let unit = text.last.flatMap({ units[$0] }), (1...9).contains(digits.utf8.count),
            digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), let number = Int(digits)
        else { return nil }
        return number * unit
    }

    private static func text(_ seconds: Int) -> String {
        for (unit, size) in [("d", 86_400), ("h", 3600), ("m", 60)] where seconds % size == 0 {
            return "\(seconds / size)\(unit)"
        }
        return "\(seconds)s"
    }
}
