internal import LinuxKernel
public import Logging
internal import SoulBoxModel

/// Writes log messages as lines of JSON, one object each, to standard error.
///
/// Members: `time`, `level`, `label`, `message`, then the metadata with dotted keys. Each line is one write(2), so lines
/// of several threads do not mix.
public struct JSONLogHandler: LogHandler {
    /// Metadata of every line.
    public var metadata: Logger.Metadata = [:]
    /// Lines below it are not written.
    public var logLevel: Logger.Level = .info
    private let label: String

    /// A handler for the logger of that label.
    public init(label: String) { self.label = label }

    /// One member of the metadata.
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes one line.
    public func log(event: LogEvent) {
        var line = JSONObject([
            ("time", .string(Timestamp.now.rfc3339)), ("level", .string(event.level.rawValue)),
            ("label", .string(label)),
            ("message", .string(event.message.description)),
        ])
        let all = metadata.merging(event.metadata ?? [:]) { _, own in own }
        for (key, value) in all.sorted(by: { $0.key < $1.key }) { line[key] = .string(value.description) }
        var bytes = JSONValue.object(line).bytes
        bytes.append(UInt8(ascii: "\n"))
        // A log that cannot be written must not end what it tells of.
        try? Files.write(to: 2, bytes)
    }
}
