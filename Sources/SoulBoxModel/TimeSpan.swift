/// Lengths of time as the API writes them: `"30s"`, `"5m"`, `"1h"`, `"7d"`.
public enum TimeSpan {
    private static let units: [(suffix: Character, seconds: Int64)] = [
        ("d", 86_400), ("h", 3600), ("m", 60), ("s", 1),
    ]

    /// The seconds that a text names; nil when it is no whole number with a unit.
    public static func parse(_ text: String) -> Int64? {
        guard let unit = units.first(where: { $0.suffix == text.last }) else { return nil }
        let digits = text.dropLast().utf8
        // Ten digits of days fit 64 bits of seconds.
        guard (1...10).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = Int64(text.dropLast())
        else { return nil }
        return number * unit.seconds
    }

    /// That many seconds in the largest unit that leaves nothing over.
    public static func text(_ seconds: Int64) -> String {
        let unit = units.first { seconds != 0 && seconds % $0.seconds == 0 } ?? ("s", 1)
        return "\(seconds / unit.seconds)\(unit.suffix)"
    }
}
