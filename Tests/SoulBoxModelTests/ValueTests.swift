import SoulBoxModel
import Testing

@Suite("Values of the API")
struct ValueTests {
    @Test(
        "reads sizes",
        arguments: [
            ("256M", 268_435_456), ("1G", 1_073_741_824), ("64Mi", 67_108_864), ("1.5G", 1_610_612_736), ("1024", 1024),
            ("1k", 1024), ("0", 0), ("2T", 2_199_023_255_552), ("512KB", 524_288),
        ] as [(String, Int64)])
    func size(text: String, bytes: Int64) { #expect(ByteSize.parse(text) == bytes) }

    @Test(
        "refuses what is no size",
        arguments: [
            "", "M", "-1", "1.5", "1..5G", "1,5G", "1e3", " 1M", "1M ", "9999999999999T", "0x10", "1.G", "Mi", "1i",
            "1XB",
        ])
    func noSize(text: String) { #expect(ByteSize.parse(text) == nil) }

    @Test(
        "writes sizes as the reference does",
        arguments: [
            (268_435_456, "256M"), (1_073_741_824, "1G"), (1_610_612_736, "1.5G"), (1023, "1023"), (0, "0"),
        ] as [(Int64, String)])
    func sizeText(bytes: Int64, text: String) { #expect(ByteSize.text(bytes) == text) }

    @Test(
        "writes and reads times",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (1_701_424_800_000_000, "2023-12-01T10:00:00.000Z"),
            (951_827_696_789_000, "2000-02-29T12:34:56.789Z"), (-1_000, "1969-12-31T23:59:59.999Z"),
        ] as [(Int64, String)])
    func time(microseconds: Int64, text: String) {
        #expect(Timestamp(microseconds: microseconds).rfc3339 == text)
        #expect(Timestamp(rfc3339: text)?.microseconds == microseconds)
    }

    @Test("reads offsets of time zones")
    func offset() {
        #expect(Timestamp(rfc3339: "2023-12-01T11:00:00+01:00") == Timestamp(rfc3339: "2023-12-01T10:00:00Z"))
    }

    @Test(
        "refuses what is no time",
        arguments: [
            "", "2023-12-01", "2023-13-01T00:00:00Z", "2023-02-29T00:00:00Z", "2023-12-01T24:00:00Z",
            "2023-12-01T10:00:00",
            "2023-12-01T10:00:00.Z", "2023-12-01T10:00:00Zx",
        ])
    func noTime(text: String) { #expect(Timestamp(rfc3339: text) == nil) }

    @Test("identifiers sort by time and read back")
    func identifiers() {
        let first = Identifier.make(.execution)
        let second = Identifier.make(.execution)
        #expect(first.hasPrefix("exec_") && first.utf8.count == 31)
        #expect(first.prefix(14) <= second.prefix(14) && first != second)
        #expect(Identifier.parse(first, .execution).map { Identifier.text(.execution, uuid: $0) } == first)
        #expect(Identifier.parse(first, .sandbox) == nil)
        #expect(Identifier.parse("exec_" + String(repeating: "z", count: 26), .execution) == nil)
        #expect(Identifier.parse(first.uppercased(), .execution) == nil)
    }

    @Test("base64 is strict and round-trips")
    func base64() {
        for length in 0..<50 {
            let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ length) }
            #expect(Base64.decode(Base64.encode(bytes)) == bytes)
        }
        for text in ["A", "AA", "AAA", "AA=A", "====", "AB==", "AAB=", "AA A", "AAAA\n"] {
            #expect(Base64.decode(text) == nil)
        }
    }

    @Test("a stored spec reads back")
    func storage() {
        let spec = ExecutionSpec(
            runtime: .go, template: "basic-go", entrypoint: "a.go", code: nil,
            files: [InputFile(path: "a.go", contents: [0, 255, 10])], arguments: ["", "$(id)"],
            environment: [.init(name: "A", value: "b=c")], stdin: "x\n",
            limits: ExecutionLimits(timeoutMilliseconds: 5000))
        #expect(ExecutionSpec(storage: spec.storage) == spec)
    }

    @Test("the error envelope is the reference's")
    func envelope() {
        let error = APIError(
            .validationError, "Invalid request parameters", details: JSONObject([("field", "language")]))
        #expect(
            error.envelope(requestID: "req_1").text
                == #"{"error":{"code":"VALIDATION_ERROR","message":"Invalid request parameters","details":{"field":"language"},"request_id":"req_1"}}"#
        )
    }
}
