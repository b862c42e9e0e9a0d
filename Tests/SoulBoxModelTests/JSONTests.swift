import SoulBoxModel
import Testing

@Suite("JSON")
struct JSONTests {
    private func parse(_ text: String) throws -> JSONValue { try JSONParser.parse(Array(text.utf8)) }

    @Test("tells integers, numbers and strings apart")
    func kinds() throws {
        #expect(
            try parse(#"[1, 1.0, "1", true, null, -0, 9223372036854775808, 1e2]"#)
                == [1, .number(1), "1", true, nil, .number(-0.0), .number(9_223_372_036_854_775_808), .number(100)])
    }

    @Test(
        "decodes every escape",
        arguments: [
            (#""\u0041\n\t\"\\\/\b\f\r""#, "A\n\t\"\\/\u{8}\u{c}\r"), (#""\ud83d\ude00""#, "😀"),
            (#""a\u0000b""#, "a\0b"),
            (#""héllo""#, "héllo"),
        ])
    func escapes(text: String, value: String) throws { #expect(try parse(text) == .string(value)) }

    @Test(
        "refuses what RFC 8259 does not allow",
        arguments: [
            "", "{", "[1,]", "{\"a\":1,}", "01", "1.", ".5", "+1", "1e", "nul", "\"\u{1}\"", "\"\\x\"", "\"\\ud800\"",
            "\"\\ud800\\u0041\"", "{\"a\":1,\"a\":2}", "1 2", "{a:1}", "'a'", "1e999", "NaN", "Infinity", "-", "[1 2]",
            "{\"a\" 1}",
        ])
    func refuses(text: String) { #expect(throws: JSONError.self) { try parse(text) } }

    @Test("refuses invalid UTF-8")
    func invalidUTF8() {
        #expect(throws: JSONError.self) { try JSONParser.parse([0x22, 0xFF, 0x22]) }
        #expect(throws: JSONError.self) { try JSONParser.parse([0x22, 0x5C, 0x6E, 0xC3, 0x22]) }
    }

    @Test("bounds the depth of nesting")
    func depth() throws {
        #expect(throws: JSONError.self) { try parse(String(repeating: "[", count: 100_000)) }
        let deep = String(repeating: "[", count: 60) + String(repeating: "]", count: 60)
        #expect(throws: Never.self) { try parse(deep) }
    }

    @Test(
        "writes what it reads",
        arguments: [
            #"{"a":[1,2.5,"x\n\u0000\u2028",null,true],"b":{}}"#, #""\"\\\u007f""#, "[]", "-12",
        ])
    func roundTrip(text: String) throws { #expect(try parse(text).text == text) }
}
