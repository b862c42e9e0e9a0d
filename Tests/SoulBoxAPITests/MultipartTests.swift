import SoulBoxModel
import Testing

@testable import SoulBoxAPI

@Suite("Multipart bodies")
struct MultipartTests {
    /// The parts of a body that comes in pieces of that size.
    private func parts(
        _ body: String, boundary: String = "B", piece: Int
    ) throws(APIError) -> [(MultipartReader.Part, String)] {
        guard
            let reader = MultipartReader(
                MemoryBody(Array(body.utf8), piece: piece), contentType: "multipart/form-data; boundary=\(boundary)")
        else { throw APIError(.validationError, "no reader") }
        var found: [(MultipartReader.Part, String)] = []
        while let part = try reader.next() {
            var bytes: [UInt8] = []
            while try reader.read({ (piece) throws(APIError) in bytes.append(contentsOf: piece) }) {}
            found.append((part, String(decoding: bytes, as: UTF8.self)))
        }
        return found
    }

    @Test("parts come whole, whatever the pieces", arguments: [1, 2, 3, 7, 64, 65_536])
    func pieces(size: Int) throws {
        let body =
            "preamble\r\n--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--\r\n--b\r\n2\r\n--B\r\n"
            + "content-disposition: form-data; name=\"file\"; filename=\"x \\\"y\\\".txt\"\r\nContent-Type: text/plain\r\n\r\n"
            + "\r\n--B\r\nContent-Disposition: form-data; name=\"last\"\r\n\r\nend\r\n--B--\r\nepilogue"
        let found = try parts(body, piece: size)
        #expect(found.map(\.0.name) == ["a", "file", "last"])
        #expect(found.map(\.1) == ["1\r\n--\r\n--b\r\n2", "", "end"])
        #expect(found[1].0.fileName == "x \"y\".txt")
        #expect(found[0].0.fileName == nil)
    }

    @Test(
        "a broken body is refused",
        arguments: [
            "", "--B", "--B\r\n", "--B--", "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nno end",
            "--B\r\nX: y\r\n\r\nnameless\r\n--B--\r\n", "--Bx\r\n\r\n\r\n--B--",
            "--B\r\n" + String(repeating: "x", count: 40_000),
        ])
    func broken(body: String) {
        if body == "--B--" {
            // An empty form is a form.
            #expect((try? parts(body, piece: 64))?.isEmpty == true)
        } else {
            #expect(throws: APIError.self) { try parts(body, piece: 64) }
        }
    }

    @Test("only a form with a boundary is read")
    func types() {
        let body = MemoryBody([])
        #expect(MultipartReader(body, contentType: "application/json") == nil)
        #expect(MultipartReader(body, contentType: "multipart/form-data") == nil)
        #expect(MultipartReader(body, contentType: "multipart/form-data; boundary=") == nil)
        #expect(MultipartReader(body, contentType: "Multipart/Form-Data; charset=utf-8; boundary=\"a b\"") != nil)
    }
}

@Suite("Ranges of bytes")
struct ByteRangeTests {
    @Test(
        "RFC 9110, section 14.1.2",
        arguments: [
            ("bytes=0-4", ByteRange.part(0..<5)), ("bytes=5-", .part(5..<10)), ("bytes=-3", .part(7..<10)),
            ("bytes=0-99", .part(0..<10)), ("bytes=-99", .part(0..<10)), ("bytes=9-9", .part(9..<10)),
            ("bytes=10-", .unsatisfiable), ("bytes=-0", .unsatisfiable), ("bytes=4-2", .whole), ("bytes=", .whole),
            ("bytes=a-b", .whole), ("bytes=0-1,3-4", .whole), ("lines=0-1", .whole), ("bytes=-", .whole),
            ("bytes=99999999999999999999-", .whole),
        ])
    func ranges(field: String, range: ByteRange) {
        #expect(ByteRange(field, size: 10) == range)
        #expect(ByteRange(nil, size: 10) == .whole)
    }
}

@Suite("Paths in sandboxes")
struct SandboxPathTests {
    @Test(
        "one spelling for each file, and none above the workspace",
        arguments: [
            ("x", "x"), ("/sandbox/x", "x"), ("/workspace/x", "x"), ("/etc/passwd", "etc/passwd"),
            ("sandbox/x", "sandbox/x"),
            ("", ""), ("/", ""), ("/sandbox", ""), ("./a//b/", "a/b"), ("a/../b", nil), ("..", nil), ("/../etc", nil),
            ("a\0b", nil), ("…/ü", "…/ü"),
        ] as [(String, String?)])
    func parse(text: String, path: String?) { #expect(SandboxPath.parse(text) == path) }
}
