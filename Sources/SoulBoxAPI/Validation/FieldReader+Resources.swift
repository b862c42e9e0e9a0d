internal import SoulBoxModel

extension FieldReader {
    /// A size, as `"256M"` or a number of bytes, within bounds.
    func size(_ name: String, _ range: ClosedRange<Int64>, _ validation: inout Validation) -> Int64? {
        guard let value = value(name) else { return nil }
        guard let bytes = value.integerValue ?? value.stringValue.flatMap(ByteSize.parse) else {
            validation.fail(path(name), "Must be a size such as \"256M\" or \"1G\", or a number of bytes")
            return nil
        }
        guard range.contains(bytes) else {
            validation.fail(
                path(name), "Must be from \(ByteSize.text(range.lowerBound)) to \(ByteSize.text(range.upperBound))")
            return nil
        }
        return bytes
    }

    /// A number of cores within bounds, in thousandths.
    func cores(_ name: String, _ range: ClosedRange<Int>, _ validation: inout Validation) -> Int? {
        guard let cores = number(name, &validation) else { return nil }
        // Compared before it is converted: a huge number would not fit an integer.
        let least = Double(range.lowerBound) / 1000
        let most = Double(range.upperBound) / 1000
        guard cores >= least, cores <= most else {
            validation.fail(path(name), "Must be from \(least) to \(most) cores")
            return nil
        }
        return Int((cores * 1000).rounded())
    }

    /// One of a set of words.
    func choice<Choice: RawRepresentable & CaseIterable>(
        _ name: String, _ validation: inout Validation
    ) -> Choice? where Choice.RawValue == String {
        guard let text = string(name, &validation) else { return nil }
        guard let choice = Choice(rawValue: text) else {
            let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            validation.fail(path(name), "Must be one of: \(known)")
            return nil
        }
        return choice
    }
}
