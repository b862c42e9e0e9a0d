internal import LinuxKernel
internal import SoulBoxStore

/// What a build says, written to its row in pieces and bounded. Used by the thread of the build alone.
final class TemplateLog {
    private static let flushBytes = 16 << 10
    private static let flushNanoseconds: UInt64 = 1_000_000_000
    private static let end = "\n… the rest is not kept\n"

    private let append: (String) throws -> Bool
    private var pending: [UInt8] = []
    private var left = TemplateStore.logBytes
    private var flushedAt: UInt64 = 0

    /// Whether the row does not take it any more: somebody else builds that version, or nobody.
    private(set) var isLost = false

    /// - Parameter append: Adds a text to the row; false when it is not this build's any more.
    init(append: @escaping (String) throws -> Bool) { self.append = append }

    /// Adds a line of the builder's own.
    func line(_ text: String) { write(Array("\(text)\n".utf8)) }

    /// Adds output of a step.
    func write(_ bytes: [UInt8]) {
        guard left > 0 else { return }
        let kept = bytes.prefix(left)
        left -= kept.count
        // A NUL is nothing that a text of the database can hold.
        pending.append(contentsOf: kept.map { $0 == 0 ? UInt8(ascii: "?") : $0 })
        if left == 0 { pending.append(contentsOf: TemplateLog.end.utf8) }
        if pending.count >= TemplateLog.flushBytes { flush(all: false) }
    }

    /// Writes what has waited for a second.
    func flushIfDue() {
        if MonotonicClock.now >= flushedAt + TemplateLog.flushNanoseconds { flush(all: false) }
    }

    /// Writes what waits; a character of which a part is missing waits for that unless `all` is wanted.
    func flush(all: Bool = true) {
        let count = all ? pending.count : pending.count - TemplateLog.unfinished(pending)
        guard count > 0 else { return }
        flushedAt = MonotonicClock.now
        do {
            // A database that is away for a moment gets it with the next piece.
            if try !append(String(decoding: pending[..<count], as: UTF8.self)) { isLost = true }
            pending.removeFirst(count)
        } catch {}
    }

    /// How many bytes at the end are the beginning of a character (RFC 3629).
    static func unfinished(_ bytes: [UInt8]) -> Int {
        for (count, byte) in bytes.reversed().prefix(3).enumerated() where byte & 0xC0 != 0x80 {
            let length = byte < 0xC0 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4
            return length > count + 1 ? count + 1 : 0
        }
        return 0
    }
}
