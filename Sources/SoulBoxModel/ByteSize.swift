/// Sizes as the API writes them: `"256M"`, `"1.5G"`, `"64Mi"`. K, M, G and T are powers of 1024.
public enum ByteSize {
    private static let units: [(letter: UInt8, shift: Int64)] = [
        (UInt8(ascii: "T"), 40), (UInt8(ascii: "G"), 30), (UInt8(ascii: "M"), 20), (UInt8(ascii: "K"), 10),
    ]

    /// The number of bytes that a text names; nil when it names none.
    ///
    /// A fraction needs a unit and must come to a whole number of bytes after rounding down.
    public static func parse(_ text: String) -> Int64? {
        var digits = Array(text.utf8)
        guard !digits.isEmpty, digits.count <= 24 else { return nil }
        var shift: Int64 = 0
        if digits.last == UInt8(ascii: "B") { digits.removeLast() }
        let isBinary = digits.last == UInt8(ascii: "i")
        if isBinary { digits.removeLast() }
        if let last = digits.last, let unit = units.first(where: { $0.letter == last || $0.letter | 0x20 == last }) {
            shift = unit.shift
            digits.removeLast()
        } else if isBinary {
            return nil
        }
        let parts = digits.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first, let wholeValue = number(whole) else { return nil }
        let scaled = wholeValue.multipliedReportingOverflow(by: 1 << shift)
        guard !scaled.overflow else { return nil }
        guard parts.count == 2 else { return scaled.partialValue }
        guard shift > 0, parts[1].count <= 6, let fraction = number(parts[1]) else { return nil }
        var denominator: Int64 = 1
        for _ in parts[1] { denominator *= 10 }
        let result = scaled.partialValue.addingReportingOverflow(
            ((1 << shift) / denominator) * fraction
                + ((1 << shift) % denominator) * fraction / denominator)
        return result.overflow ? nil : result.partialValue
    }

    /// The size in the largest unit that leaves at most one decimal: `268435456` is `"256M"`, `1610612736` is `"1.5G"`.
    public static func text(_ bytes: Int64) -> String {
        for unit in units where bytes >= 1 << unit.shift {
            let tenths = (Double(bytes) / Double(Int64(1) << unit.shift) * 10).rounded()
            let whole = Int64(tenths) / 10
            let tenth = Int64(tenths) % 10
            let letter = String(UnicodeScalar(unit.letter))
            return tenth == 0 ? "\(whole)\(letter)" : "\(whole).\(tenth)\(letter)"
        }
        return String(bytes)
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int64? {
        guard !digits.isEmpty else { return nil }
        var value: Int64 = 0
        for byte in digits {
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
            let product = value.multipliedReportingOverflow(by: 10)
            let sum = product.partialValue.addingReportingOverflow(Int64(byte - UInt8(ascii: "0")))
            guard !product.overflow, !sum.overflow else { return nil }
            value = sum.partialValue
        }
        return value
    }
}
