internal import SoulBoxModel
internal import SoulBoxStore

extension FieldReader {
    /// A name of 1 to 200 characters without control characters, which must be given.
    func requiredName(_ name: String, _ validation: inout Validation) -> String? {
        if value(name) == nil { validation.fail(path(name), "Is required") }
        return self.name(name, &validation)
    }

    /// A name of 1 to 200 characters, or fewer, without control characters.
    func name(_ name: String, atMost count: Int = 200, _ validation: inout Validation) -> String? {
        guard let text = string(name, &validation) else { return nil }
        guard (1...count).contains(text.unicodeScalars.count) else {
            validation.fail(path(name), "Must be 1 to \(count) characters long")
            return nil
        }
        guard text.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control }) else {
            validation.fail(path(name), "Must not contain control characters")
            return nil
        }
        return text
    }

    /// A moment.
    func time(_ name: String, _ validation: inout Validation) -> Timestamp? {
        guard let text = string(name, &validation) else { return nil }
        guard let time = Timestamp(rfc3339: text) else {
            validation.fail(path(name), "Must be a time as 2027-01-31T12:00:00Z")
            return nil
        }
        return time
    }

    /// An integer within bounds.
    func bounded(_ name: String, _ range: ClosedRange<Int64>, _ validation: inout Validation) -> Int64? {
        guard let value = integer(name, &validation) else { return nil }
        guard range.contains(value) else {
            validation.fail(path(name), "Must be from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return value
    }

    /// Names of permissions, each once.
    func permissions(_ name: String, _ values: [JSONValue], _ validation: inout Validation) -> [Permission] {
        var permissions: [Permission] = []
        for (index, value) in values.prefix(100).enumerated() {
            guard let permission = value.stringValue.flatMap(Permission.init(rawValue:)) else {
                let known = Permission.allCases.map(\.rawValue).joined(separator: ", ")
                validation.fail(path("\(name)[\(index)]"), "Must be one of: \(known)")
                continue
            }
            guard !permissions.contains(permission) else {
                validation.fail(path("\(name)[\(index)]"), "Is given twice")
                continue
            }
            permissions.append(permission)
        }
        if values.count > 100 { validation.fail(path(name), "Must have at most 100 elements") }
        return permissions
    }
}
