internal import SoulBoxModel
internal import SoulBoxStore

/// Reads the parameters of a request's query, and notes every one that is wrong.
struct QueryReader {
    private var values: [String: String] = [:]
    private var unread: Set<String> = []
    /// Parameters that are a name alone, without `=`.
    private var bare: Set<String> = []

    /// Takes a query apart (`application/x-www-form-urlencoded`); malformed and repeated parameters are noted.
    init(_ query: String, _ validation: inout Validation) {
        for pair in query.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let decoded = parts.map { PercentEncoding.decode($0.replacing("+", with: "%20")) }
            guard let name = decoded[0], let value = decoded.count > 1 ? decoded[1] : "", !value.utf8.contains(0) else {
                validation.fail("query", "Is not valid percent-encoded UTF-8 without NUL")
                continue
            }
            guard values.updateValue(value, forKey: name) == nil else {
                validation.fail(String(name.prefix(100)), "Is given twice")
                continue
            }
            unread.insert(name)
            if decoded.count == 1 { bare.insert(name) }
        }
    }

    /// A parameter's text; nil when it is not given.
    mutating func text(_ name: String) -> String? {
        unread.remove(name)
        return values[name]
    }

    /// A moment.
    mutating func time(_ name: String, _ validation: inout Validation) -> Timestamp? {
        guard let text = text(name) else { return nil }
        guard let time = Timestamp(rfc3339: text) else {
            validation.fail(name, "Must be a time as 2027-01-31T12:00:00Z")
            return nil
        }
        return time
    }

    /// One of a set of words.
    mutating func choice<Choice: RawRepresentable & CaseIterable>(
        _ name: String, _ validation: inout Validation
    ) -> Choice? where Choice.RawValue == String {
        guard let text = text(name) else { return nil }
        guard let choice = Choice(rawValue: text) else {
            let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            validation.fail(name, "Must be one of: \(known)")
            return nil
        }
        return choice
    }

    /// True or false; the name alone is true.
    mutating func bool(_ name: String, _ validation: inout Validation) -> Bool? {
        switch text(name) {
        case nil: return nil
        case "true": return true
        case "" where bare.contains(name): return true
        case "false": return false
        default:
            validation.fail(name, "Must be true or false")
            return nil
        }
    }

    /// Which part of a list is wanted: `limit`, and `offset` or `cursor`.
    mutating func page(_ kind: Identifier.Kind, _ validation: inout Validation) -> Page {
        var page = Page()
        page.limit = integer("limit", 1...1000, &validation) ?? page.limit
        let offset = integer("offset", 0...1_000_000_000, &validation)
        page.offset = offset ?? 0
        if let cursor = text("cursor") {
            page.cursor = Identifier.parse(cursor, kind)
            if page.cursor == nil { validation.fail("cursor", "Is not a cursor that this list gave") }
            if offset != nil { validation.fail("cursor", "Cannot stand beside offset") }
        }
        return page
    }

    /// Refuses every parameter that nobody has asked for.
    func refuseUnread(_ validation: inout Validation) {
        for name in unread.sorted() { validation.fail(String(name.prefix(100)), "Unknown parameter") }
    }

    /// An integer within bounds.
    mutating func number(_ name: String, _ range: ClosedRange<Int>, _ validation: inout Validation) -> Int? {
        integer(name, range, &validation)
    }

    private mutating func integer(
        _ name: String, _ range: ClosedRange<Int>, _ validation: inout Validation
    ) -> Int? {
        guard let text = text(name) else { return nil }
        let isPlain = !text.isEmpty && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard isPlain, let value = Int(text), range.contains(value) else {
            validation.fail(name, "Must be an integer from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return value
    }
}
