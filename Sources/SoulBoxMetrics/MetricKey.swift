/// What one number in a process's file is.
struct MetricKey: Sendable, Hashable {
    /// The family's name.
    var family: String
    /// The labels as text.
    var labels: String
    /// Which part of a histogram: the upper bound of a bucket, or `sum`; empty for other kinds.
    var part = ""

    /// The most bytes that `text` may have.
    static let maximum = 174
    private static let separator: Character = "\u{1f}"

    /// The key in one line.
    var text: String { family + String(MetricKey.separator) + labels + String(MetricKey.separator) + part }

    init(family: String, labels: String, part: String = "") {
        self.family = family
        self.labels = labels
        self.part = part
    }

    /// Reads what `text` wrote.
    init?(text: some StringProtocol) {
        let parts = text.split(separator: MetricKey.separator, omittingEmptySubsequences: false)
        guard parts.count == 3 else { return nil }
        self.init(family: String(parts[0]), labels: String(parts[1]), part: String(parts[2]))
    }
}
