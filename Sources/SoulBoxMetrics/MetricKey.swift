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
    private static let separator: UInt8 = 0x1F

    /// The key in one line.
    var text: String {
        let separator = String(Unicode.Scalar(MetricKey.separator))
        return family + separator + labels + separator + part
    }

    init(family: String, labels: String, part: String = "") {
        self.family = family
        self.labels = labels
        self.part = part
    }

    /// Reads what `text` wrote.
    init?(text: some StringProtocol) {
        // Bytes rather than characters: thousands of these are read every few seconds.
        self.init(bytes: text.utf8)
    }

    /// Reads the bytes of what `text` wrote.
    init?(bytes: some Collection<UInt8>) {
        let parts = bytes.split(separator: MetricKey.separator, omittingEmptySubsequences: false)
        guard parts.count == 3 else { return nil }
        self.init(
            family: String(decoding: parts[0], as: UTF8.self), labels: String(decoding: parts[1], as: UTF8.self),
            part: String(decoding: parts[2], as: UTF8.self))
    }
}
