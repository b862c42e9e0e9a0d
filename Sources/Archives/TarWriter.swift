/// Writes a tar archive (POSIX.1-2017, pax) as a stream.
public final class TarWriter {
    private let sink: ([UInt8]) throws -> Void
    private var left: Int64 = 0
    private var padding = 0

    /// A writer to `sink`.
    public init(_ sink: @escaping ([UInt8]) throws -> Void) { self.sink = sink }

    /// Begins an entry; exactly its size in bytes must follow.
    public func begin(_ entry: TarEntry) throws {
        precondition(left == 0, "the entry before is not whole")
        var type = UInt8(ascii: "0")
        var link: [UInt8] = []
        switch entry.kind {
        case .file: break
        case .directory: type = UInt8(ascii: "5")
        case .link(let target): (type, link) = (UInt8(ascii: "2"), Array(target.utf8))
        case .hardLink(let target): (type, link) = (UInt8(ascii: "1"), Array(target.utf8))
        }
        let path = Array((entry.path + (entry.kind == .directory ? "/" : "")).utf8)
        var records: [UInt8] = []
        if path.count > 100 { records += TarWriter.record("path", path) }
        if link.count > 100 { records += TarWriter.record("linkpath", link) }
        if entry.size > 0o77777777777 { records += TarWriter.record("size", Array(String(entry.size).utf8)) }
        if !records.isEmpty {
            try sink(
                TarHeader.block(
                    path: Array("pax".utf8), mode: 0o644, size: Int64(records.count), modified: entry.modified,
                    type: UInt8(ascii: "x"), link: []))
            try sink(records + TarWriter.zeros(after: records.count))
        }
        try sink(
            TarHeader.block(
                path: path, mode: entry.mode, size: entry.size, modified: entry.modified, type: type, link: link))
        left = entry.size
        padding = TarWriter.zeros(after: Int(entry.size % 512)).count
    }

    /// Writes bytes of the entry's file.
    public func write(_ bytes: [UInt8]) throws {
        precondition(Int64(bytes.count) <= left, "more than the entry has")
        try sink(bytes)
        left -= Int64(bytes.count)
        if left == 0, padding > 0 {
            try sink([UInt8](repeating: 0, count: padding))
            padding = 0
        }
    }

    /// Writes the end.
    public func finish() throws { try sink([UInt8](repeating: 0, count: 1024)) }

    private static func zeros(after count: Int) -> [UInt8] {
        [UInt8](repeating: 0, count: (512 - count % 512) % 512)
    }

    private static func record(_ key: String, _ value: [UInt8]) -> [UInt8] {
        let body = Array(" \(key)=".utf8) + value + [10]
        var length = body.count + 1
        while String(length).count + body.count != length { length = String(length).count + body.count }
        return Array(String(length).utf8) + body
    }
}
