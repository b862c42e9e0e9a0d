import Testing

@testable import SoulBoxAPI

/// RFC 4180, and what spreadsheets make of it.
@Suite("CSV")
struct CSVWriterTests {
    @Test(
        "quotes what has to be quoted, and lets no text be a formula",
        arguments: [
            ("plain", "plain"), ("", ""), ("a b", "a b"), ("a,b", "\"a,b\""), ("say \"x\"", "\"say \"\"x\"\"\""),
            ("a\nb", "\"a\nb\""), ("a\rb", "\"a\rb\""), ("a\r\nb", "\"a\r\nb\""), ("ž😀", "ž😀"),
            ("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@SUM(A1)", "'@SUM(A1)"), ("\tx", "'\tx"),
            ("\rx", "\"'\rx\""),
            ("\r\n=x", "\"'\r\n=x\""),
            ("=HYPERLINK(\"http://x\",\"y\")", "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\""),
            ("a=b", "a=b"), ("'x", "'x"),
        ])
    func text(text: String, written: String) {
        var writer = CSVWriter()
        writer.line([.text(text), .number("-1.5"), .none])
        #expect(String(decoding: writer.bytes, as: UTF8.self) == written + ",-1.5,\r\n")
    }

    @Test(
        "fractions are exact",
        arguments: [
            (0, 6, "0.000000"), (1, 6, "0.000001"), (1_234_567, 6, "1.234567"), (-5, 3, "-0.005"),
            (12_000, 3, "12.000"),
            (9_007_199_254_740_993, 6, "9007199254.740993"),
        ] as [(Int64, Int, String)])
    func decimals(value: Int64, places: Int, text: String) {
        #expect(ReportCell.decimal(value, places: places).csv == .number(text))
    }
}
