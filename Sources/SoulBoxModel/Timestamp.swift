internal import Glibc

/// A moment in UTC, to the microsecond.
public struct Timestamp: Sendable, Hashable, Comparable {
    /// Microseconds since 1970-01-01T00:00:00Z.
    public let microseconds: Int64

    /// The moment that many microseconds after 1970-01-01T00:00:00Z.
    public init(microseconds: Int64) { self.microseconds = microseconds }

    /// The present moment by the system's clock.
    public static var now: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
    }

    /// Earlier before later.
    public static func < (left: Timestamp, right: Timestamp) -> Bool { left.microseconds < right.microseconds }

    /// The moment as RFC 3339 writes it, in UTC with milliseconds: `2023-12-01T10:00:00.000Z`.
    public var rfc3339: String {
        let (days, within) = Timestamp.floorDivide(microseconds, 86_400_000_000)
        let (year, month, day) = Timestamp.civil(fromDays: days)
        let seconds = within / 1_000_000
        // In place: three of them are in most answers.
        return String(unsafeUninitializedCapacity: 24) { buffer in
            var index = 0
            func write(_ value: Int64, _ width: Int, _ end: Character) {
                var rest = value
                for position in stride(from: index + width - 1, through: index, by: -1) {
                    buffer[position] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                    rest /= 10
                }
                buffer[index + width] = end.asciiValue ?? 0
                index += width + 1
            }
            write(min(max(year, 0), 9999), 4, "-")
            write(month, 2, "-")
            write(day, 2, "T")
            write(seconds / 3600, 2, ":")
            write(seconds / 60 % 60, 2, ":")
            write(seconds % 60, 2, ".")
            write(within / 1000 % 1000, 3, "Z")
            return index
        }
    }

    /// The moment that an RFC 3339 date and time names; nil when the text is not one.
    public init?(rfc3339 text: String) {
        let bytes = Array(text.utf8)
        func digits(_ range: Range<Int>) -> Int64? {
            guard range.upperBound <= bytes.count else { return nil }
            var value: Int64 = 0
            for byte in bytes[range] {
                guard byte >= 0x30, byte <= 0x39 else { return nil }
                value = value * 10 + Int64(byte - 0x30)
            }
            return value
        }
        func character(_ index: Int, in allowed: String) -> Bool {
            index < bytes.count && allowed.utf8.contains(bytes[index])
        }
        guard let year = digits(0..<4), character(4, in: "-"), let month = digits(5..<7), character(7, in: "-"),
            let day = digits(8..<10), character(10, in: "Tt "), let hour = digits(11..<13), character(13, in: ":"),
            let minute = digits(14..<16), character(16, in: ":"), let second = digits(17..<19),
            (1...12).contains(month), day >= 1, day <= Timestamp.daysIn(month: month, year: year), hour < 24,
            minute < 60,
            second < 61
        else { return nil }
        var index = 19
        var fraction: Int64 = 0
        if character(index, in: ".") {
            index += 1
            let start = index
            while index < bytes.count, bytes[index] >= 0x30, bytes[index] <= 0x39 {
                if index - start < 6 { fraction = fraction * 10 + Int64(bytes[index] - 0x30) }
                index += 1
            }
            guard index > start else { return nil }
            for _ in 0..<max(0, 6 - (index - start)) { fraction *= 10 }
        }
        var offset: Int64 = 0
        if character(index, in: "Zz") {
            index += 1
        } else {
            guard character(index, in: "+-"), let hours = digits(index + 1..<index + 3), character(index + 3, in: ":"),
                let minutes = digits(index + 4..<index + 6), hours < 24, minutes < 60
            else { return nil }
            offset = (hours * 60 + minutes) * (bytes[index] == UInt8(ascii: "-") ? -60 : 60)
            index += 6
        }
        guard index == bytes.count else { return nil }
        let days = Timestamp.days(fromYear: year, month: month, day: day)
        microseconds = (days * 86_400 + hour * 3600 + minute * 60 + second - offset) * 1_000_000 + fraction
    }

    private static func floorDivide(_ value: Int64, _ divisor: Int64) -> (Int64, Int64) {
        let remainder = value % divisor
        return remainder < 0 ? (value / divisor - 1, remainder + divisor) : (value / divisor, remainder)
    }

    private static func daysIn(month: Int64, year: Int64) -> Int64 {
        switch month {
        case 2: (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    // Both conversions count in eras of 400 years from 0000-03-01, so that leap days fall at the end of a year
    // (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
    private static func days(fromYear year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let (era, yearOfEra) = floorDivide(shifted, 400)
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    private static func civil(fromDays days: Int64) -> (Int64, Int64, Int64) {
        let (era, dayOfEra) = floorDivide(days + 719_468, 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthIndex = (5 * dayOfYear + 2) / 153
        let month = monthIndex < 10 ? monthIndex + 3 : monthIndex - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * monthIndex + 2) / 5 + 1)
    }
}
