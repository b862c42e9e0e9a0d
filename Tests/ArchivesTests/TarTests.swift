import Testing

@testable import Archives

@Suite("tar archives")
struct TarTests {
    /// A source that gives bytes in pieces of that size.
    private func source(_ bytes: [UInt8], piece: Int = .max) -> (Int) throws -> [UInt8] {
        var rest = bytes[...]
        return { count in
            let next = Array(rest.prefix(min(count, piece)))
            rest = rest.dropFirst(next.count)
            return next
        }
    }

    private func read(_ bytes: [UInt8], piece: Int = .max) throws -> [(TarEntry, [UInt8])] {
        let reader = TarReader(source(bytes, piece: piece))
        var found: [(TarEntry, [UInt8])] = []
        while let entry = try reader.next() {
            var contents: [UInt8] = []
            while true {
                let more = try reader.read(1000)
                if more.isEmpty { break }
                contents += more
            }
            found.append((entry, contents))
        }
        return found
    }

    private func header(
        _ path: String, type: Character = "0", size: Int64 = 0, link: String = "", mode: Int = 0o644
    ) -> [UInt8] {
        TarHeader.block(
            path: Array(path.utf8), mode: mode, size: size, modified: 0, type: type.asciiValue ?? 0,
            link: Array(link.utf8))
    }

    private func padded(_ bytes: [UInt8]) -> [UInt8] {
        bytes + [UInt8](repeating: 0, count: (512 - bytes.count % 512) % 512)
    }

    private let end = [UInt8](repeating: 0, count: 1024)

    @Test("what is written is read again, whatever the pieces", arguments: [1, 7, 511, 512, 513, 100_000])
    func roundTrip(piece: Int) throws {
        var bytes: [UInt8] = []
        let writer = TarWriter { bytes += $0 }
        let entries: [(TarEntry, [UInt8])] = [
            (TarEntry(path: "d", kind: .directory, mode: 0o755, modified: 7), []),
            (TarEntry(path: "d/empty", kind: .file), []),
            (
                TarEntry(path: "d/" + String(repeating: "n", count: 200), kind: .file, size: 700),
                [UInt8](repeating: 7, count: 700)
            ),
            (TarEntry(path: "ü", kind: .link("/" + String(repeating: "t", count: 150))), []),
            (TarEntry(path: "again", kind: .hardLink("d/empty")), []),
        ]
        for (entry, contents) in entries {
            try writer.begin(entry)
            if !contents.isEmpty { try writer.write(contents) }
        }
        try writer.finish()
        let found = try read(bytes, piece: piece)
        #expect(found.map(\.0) == entries.map(\.0))
        #expect(found.map(\.1) == entries.map(\.1))
    }

    @Test(
        "63: names that lead out are refused",
        arguments: [
            "/etc/passwd", "../x", "a/../../x", "..", "a/..", "//x", String(repeating: "d/", count: 300) + "x",
        ])
    func names(path: String) {
        let long = Array(path.utf8)
        #expect(throws: ArchiveError.self) {
            try read(padded(header("L", type: "L", size: Int64(long.count)) + padded(long)) + header("x") + end)
        }
    }

    @Test("63, 66: links out are links only, devices and FIFOs are refused, set-user-id bits are dropped")
    func kinds() throws {
        for type: Character in ["3", "4", "6", "S", "V", "Z"] {
            #expect(throws: ArchiveError.self, "\(type)") { try read(header("x", type: type) + end) }
        }
        #expect(try read(header("x", mode: 0o4755) + end).first?.0.mode == 0o755)
        #expect(try read(header("x", type: "2", link: "../../etc") + end).first?.0.kind == .link("../../etc"))
        #expect(throws: ArchiveError.self) { try read(header("x", type: "1", link: "../y") + end) }
        #expect(throws: ArchiveError.self) { try read(header("x", type: "2") + end) }
        #expect(throws: ArchiveError.self) { try read(header("") + end) }
    }

    @Test("64: what two readers could understand differently is refused")
    func differential() throws {
        let name = { (text: String, type: Character) in
            header("././@LongLink", type: type, size: Int64(text.utf8.count)) + padded(Array(text.utf8))
        }
        #expect(throws: ArchiveError.self) { try read(name("a", "L") + name("b", "L") + header("x") + end) }
        #expect(throws: ArchiveError.self) {
            try read(name("a", "K") + name("../b", "K") + header("x", type: "2", link: "c") + end)
        }
        let pax = { (text: String) in header("pax", type: "x", size: Int64(text.utf8.count)) + padded(Array(text.utf8))
        }
        #expect(throws: ArchiveError.self) { try read(pax("9 path=a\n9 path=b\n") + header("x") + end) }
        #expect(throws: ArchiveError.self) { try read(pax("9 path=a\n") + name("b", "L") + header("x") + end) }
        #expect(throws: ArchiveError.self) { try read(pax("99 path=a\n") + header("x") + end) }
        #expect(try read(pax("9 path=a\n") + header("x") + end).first?.0.path == "a")
        #expect(throws: ArchiveError.self) { try read(header("x") + end + header("y") + end) }
        #expect(throws: ArchiveError.self) { try read(header("x") + end + [1]) }
        #expect(throws: ArchiveError.self) { try read(header("x", size: 10) + [1, 2]) }
        #expect(throws: ArchiveError.self) { try read(Array(header("x").dropLast())) }
        var broken = header("x")
        broken[0] = UInt8(ascii: "y")
        #expect(throws: ArchiveError.self) { try read(broken + end) }
        #expect(throws: ArchiveError.self) { try read([UInt8](repeating: 65, count: 2048)) }
    }

    @Test("gzip: pieces, a second member, what follows, damage, and 65: a bomb is read without being held")
    func gzip() throws {
        var packed: [UInt8] = []
        let writer = try GzipWriter { packed += $0 }
        let zeros = [UInt8](repeating: 0, count: 1 << 20)
        for _ in 0..<64 { try writer.write(zeros) }
        try writer.finish()
        #expect(packed.count < 1 << 20)
        for piece in [1, 100, 65_536] where piece > 1 || packed.count < 400_000 {
            let reader = try GzipReader(source(packed, piece: piece))
            var count = 0
            while true {
                let more = try reader.read(65_536)
                if more.isEmpty { break }
                count += more.count
            }
            #expect(count == 64 << 20)
        }
        func all(_ bytes: [UInt8]) throws {
            let reader = try GzipReader(source(bytes))
            while try !reader.read(65_536).isEmpty {}
        }
        #expect(throws: ArchiveError.self) { try all(packed + packed) }
        #expect(throws: ArchiveError.self) { try all(packed + [0]) }
        #expect(throws: ArchiveError.self) { try all(Array(packed.dropLast(9))) }
        #expect(throws: ArchiveError.self) { try all([1, 2, 3]) }
        #expect(throws: ArchiveError.self) { try all([]) }
    }
}
