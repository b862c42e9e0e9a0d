/// A character of UTF-8 whose end is missing, where bytes were cut between two reads or at a limit.
public enum IncompleteCharacter {
    /// How many bytes at the end begin a character whose rest is missing: 0 to 3.
    public static func count(atEndOf bytes: some BidirectionalCollection<UInt8>) -> Int {
        var length = 0
        for byte in bytes.reversed().prefix(3) {
            length += 1
            if byte & 0xC0 == 0x80 { continue }
            let needed =
                switch byte {
                case 0xC2...0xDF: 2
                case 0xE0...0xEF: 3
                case 0xF0...0xF4: 4
                default: 1
                }
            return needed > length ? length : 0
        }
        return 0
    }
}
