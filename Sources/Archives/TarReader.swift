/// Reads a tar archive (POSIX.1-2017, pax and ustar; GNU's long names) as a stream.
///
/// Strict: what two readers could understand differently is an error. Names are relative, without `..`; devices and FIFOs
/// are refused; extended attributes are passed over, so no capability comes with a file.
public final class TarReader {
    private static let block = 512
    private static let maximumHeader: Int64 = 64 << 10
    private static let maximumDepth = 200

    private let source: (Int) throws -> [UInt8]
    private var buffer: [UInt8] = []
    private var start = 0
    private var left: Int64 = 0
    private var padding: Int64 = 0

    /// A reader of what `source` gives: at most that many bytes at a time, none at the end.
    public init(_ source: @escaping (Int) throws -> [UInt8]) { self.source = source }

    /// The next entry; nil at the end. What is left of the one before is passed over.
    public func next() throws -> TarEntry? {
        while left > 0 { _ = try read(65_536) }
        try skip(padding)
        padding = 0
        var names = LongNames()
        while true {
            let header = try take(TarReader.block)
            if header.allSatisfy({ $0 == 0 }) { return try end() }
            let fields = try TarHeader(header)
            switch fields.type {
            case UInt8(ascii: "x"): try names.take(pax: try contents(fields.size))
            case UInt8(ascii: "g"): _ = try contents(fields.size)
            case UInt8(ascii: "L"): try names.take(name: try contents(fields.size))
            case UInt8(ascii: "K"): try names.take(link: try contents(fields.size))
            default: return try entry(fields, names)
            }
        }
    }

    /// Some bytes of the present entry's file; none at its end.
    public func read(_ count: Int) throws -> [UInt8] {
        guard left > 0 else { return [] }
        if start == buffer.count { try fill() }
        let bytes = Array(buffer[start..<min(buffer.count, start + min(count, Int(clamping: left)))])
        start += bytes.count
        left -= Int64(bytes.count)
        return bytes
    }

    private func entry(_ header: TarHeader, _ names: LongNames) throws -> TarEntry {
        let size = names.size ?? header.size
        var entry = TarEntry(
            path: try TarReader.path(names.path ?? header.path), kind: .file, size: 0, mode: header.mode & 0o777,
            modified: header.modified)
        switch header.type {
        case 0, UInt8(ascii: "0"), UInt8(ascii: "7"):
            // Before ustar a directory was a file whose name ends so.
            if (names.path ?? header.path).hasSuffix("/") { entry.kind = .directory } else { entry.size = size }
        case UInt8(ascii: "5"): entry.kind = .directory
        case UInt8(ascii: "2"): entry.kind = .link(try TarReader.target(names.link ?? header.link))
        case UInt8(ascii: "1"): entry.kind = .hardLink(try TarReader.path(names.link ?? header.link))
        default: throw ArchiveError("\(entry.path) is neither a file nor a directory nor a link")
        }
        guard !entry.path.isEmpty || entry.kind == .directory else { throw ArchiveError("an entry has no name") }
        left = entry.size
        padding = (Int64(TarReader.block) - entry.size % Int64(TarReader.block)) % Int64(TarReader.block)
        return entry
    }

    /// Two blocks of zeros, then nothing but zeros: what else stood there only some readers would see.
    private func end() throws -> TarEntry? {
        while true {
            if start == buffer.count {
                buffer = try source(65_536)
                start = 0
                if buffer.isEmpty { return nil }
            }
            guard buffer[start...].allSatisfy({ $0 == 0 }) else {
                throw ArchiveError("something follows the end of the archive")
            }
            start = buffer.count
        }
    }

    private func contents(_ size: Int64) throws -> [UInt8] {
        guard size <= TarReader.maximumHeader else { throw ArchiveError("a header is too long") }
        let bytes = try take(Int(size))
        try skip((Int64(TarReader.block) - size % Int64(TarReader.block)) % Int64(TarReader.block))
        return bytes
    }

    private func take(_ count: Int) throws -> [UInt8] {
        while buffer.count - start < count { try fill() }
        defer { start += count }
        return Array(buffer[start..<(start + count)])
    }

    private func skip(_ count: Int64) throws { _ = try take(Int(count)) }

    private func fill() throws {
        let more = try source(65_536)
        guard !more.isEmpty else { throw ArchiveError("the archive is cut off") }
        buffer = Array(buffer[start...]) + more
        start = 0
    }

    /// A name in its one spelling.
    private static func path(_ text: String) throws -> String {
        guard !text.utf8.contains(0), !text.hasPrefix("/"), text.utf8.count <= 4095 else {
            throw ArchiveError("a name is absolute, too long, or holds NUL")
        }
        let segments = text.split(separator: "/").filter { $0 != "." }
        guard segments.count <= maximumDepth else { throw ArchiveError("a name is too deep") }
        guard segments.allSatisfy({ $0 != ".." && $0.utf8.count <= 255 }) else {
            throw ArchiveError("a name leads upwards, or is too long")
        }
        return segments.joined(separator: "/")
    }

    private static func target(_ text: String) throws -> String {
        guard !text.isEmpty, !text.utf8.contains(0), text.utf8.count <= 4095 else {
            throw ArchiveError("a link leads nowhere")
        }
        return text
    }
}
