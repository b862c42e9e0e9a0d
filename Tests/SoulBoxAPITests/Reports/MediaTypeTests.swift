import Testing

@testable import SoulBoxAPI

/// What `Accept` asks for, as RFC 9110 has it.
@Suite("Accepted media types")
struct MediaTypeTests {
    @Test(
        "the client gets what it wants most",
        arguments: [
            (nil, "json"), ("", "json"), (" ", "json"), ("*/*", "json"), ("application/json", "json"),
            ("text/csv", "csv"),
            ("TEXT/CSV", "csv"), ("text/*", "csv"), ("application/*", "json"), ("text/csv, application/json", "json"),
            ("text/csv, */*", "csv"), ("text/csv;q=0.5, */*", "json"), ("text/csv;q=0.5, */*;q=0.1", "csv"),
            ("application/json;q=0.2, text/csv;q=0.8", "csv"), ("application/json ; Q=0.2 , text/csv ; q=0.1", "json"),
            ("application/json;q=0, */*", "csv"), ("text/csv;q=0, text/*", nil),
            ("text/csv;q=0, text/*, */*;q=0.1", "json"),
            ("text/html", nil), ("text/html, application/xhtml+xml, */*;q=0.8", "json"), ("*/*;q=0", nil),
            ("text/csv; header=present", "csv"), ("text/csv; header=absent", nil),
            ("text/csv;charset=\"UTF-8\"", "csv"),
            ("application/json;charset=utf-8", "json"),
            ("text/csv;header=absent, text/csv;q=0.3, application/json;q=0.2", "csv"),
            ("text/html;level=\"a,b\", text/csv", "csv"), ("text/csv;q=1.001", nil), ("text/csv;q=0.1234", nil),
            ("text/csv;q=2", nil), ("text/csv;q=", nil), ("text/csv;q=-1", nil), ("text/csv;q=.5", nil), ("*/csv", nil),
            ("text", nil), ("text/csv/x", nil), ("text/csv;q=0.000", nil), ("text/csv;q=1.000", "csv"),
            (",,text/csv,", "csv"),
        ] as [(String?, String?)])
    func best(accept: String?, subtype: String?) {
        #expect(MediaType.best(of: [.json, .csv], accept: accept)?.subtype == subtype, "\(accept ?? "absent")")
    }

    @Test("is written with its parameters")
    func text() {
        #expect(MediaType.csv.text == "text/csv; charset=utf-8; header=present")
        #expect(MediaType.json.text == "application/json; charset=utf-8")
    }
}
