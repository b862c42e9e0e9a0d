/// A page in Prometheus' text format, taken apart.
struct MetricText {
    /// Values by name and labels as they stand on the page: `name{a="b"}`.
    private(set) var values: [String: Double] = [:]
    /// The names that have a TYPE, with it.
    private(set) var types: [String: String] = [:]

    init(_ text: String) {
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            if line.hasPrefix("# TYPE "), words.count == 4 { types[String(words[2])] = String(words[3]) }
            guard !line.hasPrefix("#"), let space = line.lastIndex(of: " ") else { continue }
            values[String(line[..<space])] = Double(line[line.index(after: space)...])
        }
    }

    /// The sum of all values of a name whose labels hold each of these texts.
    func sum(_ name: String, _ labels: String...) -> Double {
        values.filter { key, _ in
            (key == name || key.hasPrefix(name + "{")) && labels.allSatisfy { key.contains($0) }
        }.reduce(0) { $0 + $1.value }
    }

    /// The names of all values, without labels.
    var names: Set<String> { Set(values.keys.map { String($0.prefix { $0 != "{" }) }) }
}
