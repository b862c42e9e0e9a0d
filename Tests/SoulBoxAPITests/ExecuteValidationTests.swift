import SoulBoxAPI
import SoulBoxModel
import Testing

/// A wrong body and what has to be said of it.
struct BadBody: Sendable, CustomTestStringConvertible {
    let body: String
    let field: String
    let reason: String

    init(_ body: String, _ field: String, _ reason: String) {
        self.body = body
        self.field = field
        self.reason = reason
    }

    var testDescription: String { "\(field): \(reason)" }

    /// A right body but for these members.
    static func with(_ members: String, _ field: String, _ reason: String) -> BadBody {
        BadBody(#"{"language": "python", "code": "1", \#(members)}"#, field, reason)
    }
}

@Suite("Validation of POST /execute")
struct ExecuteValidationTests {
    static let programs: [BadBody] = [
        BadBody(#"{"code": "1"}"#, "language", "Is required"),
        BadBody(#"{"language": null, "code": "1"}"#, "language", "Is required"),
        BadBody(#"{"language": 3, "code": "1"}"#, "language", "Must be a string"),
        BadBody(#"{"language": "unknown", "code": "1"}"#, "language", "Unsupported language: unknown"),
        BadBody(#"{"language": "Python", "code": "1"}"#, "language", "Unsupported language: Python"),
        BadBody(#"{"language": "", "code": "1"}"#, "language", "Unsupported language: "),
        BadBody(#"{"language": "go", "code": "1"}"#, "language", "No template is installed for go"),
        BadBody(#"{"language": "python"}"#, "code", "Is required"),
        BadBody(#"{"language": "python", "code": null}"#, "code", "Is required"),
        BadBody(#"{"language": "python", "code": 1}"#, "code", "Must be a string"),
        BadBody(#"{"language": "python", "code": ["1"]}"#, "code", "Must be a string"),
        .with(#""template": "none""#, "template", "There is no such template"),
        .with(#""template": 1"#, "template", "Must be a string"),
        .with(#""template": "a\u0000b""#, "template", "Must not contain NUL"),
        .with(#""template": "basic-rust""#, "template", "Is a template for rust, not for python"),
        .with(#""version": "3.12""#, "version", "Only 3.11.2 is installed"),
        .with(#""version": "3.1""#, "version", "Only 3.11.2 is installed"),
        .with(#""version": """#, "version", "Only 3.11.2 is installed"),
        .with(#""version": 3"#, "version", "Must be a string"),
        .with(#""entrypoint": "other.py""#, "entrypoint", "Is not among the files"),
        .with(#""entrypoint": "../main.py""#, "entrypoint", "Must not contain '.' or '..' as a path segment"),
        .with(#""entrypoint": "/main.py""#, "entrypoint", "Must be a relative path"),
        .with(#""entrypoint": """#, "entrypoint", "Must not be empty"),
        .with(#""entrypoint": "-ScX""#, "entrypoint", "Must not begin with '-' or '@'"),
        .with(#""entrypoint": "@x""#, "entrypoint", "Must not begin with '-' or '@'"),
        .with(#""stdin": 5"#, "stdin", "Must be a string"),
        .with(#""async": "yes""#, "async", "Must be true or false"),
        .with(#""async": 1"#, "async", "Must be true or false"),
        .with(#""network_access": "no""#, "network_access", "Must be true or false"),
        .with(#""tests": []"#, "tests", "Unknown field"),
        .with(#""callback_url": "http://a""#, "callback_url", "Unknown field"),
        .with(#""Timeout": 3"#, "Timeout", "Unknown field"),
        .with(#""": 3"#, "", "Unknown field"),
    ]

    static let limits: [BadBody] = [
        .with(#""timeout": 0"#, "timeout", "Must be from 1 to 300 seconds"),
        .with(#""timeout": -1"#, "timeout", "Must be from 1 to 300 seconds"),
        .with(#""timeout": 301"#, "timeout", "Must be from 1 to 300 seconds"),
        .with(#""timeout": 9223372036854775807"#, "timeout", "Must be from 1 to 300 seconds"),
        .with(#""timeout": 9223372036854775808"#, "timeout", "Must be an integer"),
        .with(#""timeout": 1.5"#, "timeout", "Must be an integer"),
        .with(#""timeout": "30""#, "timeout", "Must be an integer"),
        .with(#""timeout": true"#, "timeout", "Must be an integer"),
        .with(#""timeout": []"#, "timeout", "Must be an integer"),
        .with(#""memory_limit": "15M""#, "memory_limit", "Must be from 16M to 4G"),
        .with(#""memory_limit": "4.1G""#, "memory_limit", "Must be from 16M to 4G"),
        .with(#""memory_limit": 1"#, "memory_limit", "Must be from 16M to 4G"),
        .with(#""memory_limit": -1"#, "memory_limit", "Must be from 16M to 4G"),
        .with(
            #""memory_limit": "much""#, "memory_limit",
            "Must be a size such as \"256M\" or \"1G\", or a number of bytes"),
        .with(
            #""memory_limit": "99999999999999999999G""#, "memory_limit",
            "Must be a size such as \"256M\" or \"1G\", or a number of bytes"),
        .with(
            #""memory_limit": 2.5e8"#, "memory_limit", "Must be a size such as \"256M\" or \"1G\", or a number of bytes"
        ),
        .with(
            #""memory_limit": {}"#, "memory_limit", "Must be a size such as \"256M\" or \"1G\", or a number of bytes"),
        BadBody(
            #"{"language": "java", "code": "1", "memory_limit": "32M"}"#, "memory_limit",
            "The template basic-java needs at least 64M"),
        .with(#""cpu_limit": "1""#, "cpu_limit", "Must be a number"),
        .with(#""cpu_limit": false"#, "cpu_limit", "Must be a number"),
    ]

    static let strings: [BadBody] = [
        .with(#""args": "a""#, "args", "Must be an array"),
        .with(#""args": {"0": "a"}"#, "args", "Must be an array"),
        .with(#""args": ["a", 1]"#, "args[1]", "Must be a string"),
        .with(#""args": [null]"#, "args[0]", "Must be a string"),
        .with(#""args": ["a\u0000"]"#, "args[0]", "Must not contain NUL"),
        .with(#""environment": []"#, "environment", "Must be an object"),
        .with(#""environment": {"A": 1}"#, "environment.A", "Must be a string"),
        .with(#""environment": {"A": null}"#, "environment.A", "Must be a string"),
        .with(#""environment": {"A": "b\u0000c"}"#, "environment.A", "Must not contain NUL"),
        .with(#""environment": {"1A": "b"}"#, "environment.1A", "Names must match [A-Za-z_][A-Za-z0-9_]*"),
        .with(#""environment": {"": "b"}"#, "environment.", "Names must match [A-Za-z_][A-Za-z0-9_]*"),
        .with(#""environment": {"A=B": "b"}"#, "environment.A=B", "Names must match [A-Za-z_][A-Za-z0-9_]*"),
        .with(#""environment": {"É": "b"}"#, "environment.É", "Names must match [A-Za-z_][A-Za-z0-9_]*"),
    ]

    static let files: [BadBody] = [
        .with(#""files": {}"#, "files", "Must be an array"),
        .with(#""files": ["a"]"#, "files[0]", "Must be an object"),
        .with(#""files": [{"content": ""}]"#, "files[0].name", "Is required"),
        .with(#""files": [{"name": "a"}]"#, "files[0].content", "Is required"),
        .with(#""files": [{"name": 1, "content": ""}]"#, "files[0].name", "Must be a string"),
        .with(#""files": [{"name": "a", "content": 1}]"#, "files[0].content", "Must be a string"),
        .with(#""files": [{"name": "a", "content": "", "mode": 7}]"#, "files[0].mode", "Unknown field"),
        .with(#""files": [{"name": "", "content": ""}]"#, "files[0].name", "Must not be empty"),
        .with(#""files": [{"name": "/etc/passwd", "content": ""}]"#, "files[0].name", "Must be a relative path"),
        .with(
            #""files": [{"name": "a/../../b", "content": ""}]"#, "files[0].name",
            "Must not contain '.' or '..' as a path segment"),
        .with(
            #""files": [{"name": "./a", "content": ""}]"#, "files[0].name",
            "Must not contain '.' or '..' as a path segment"),
        .with(#""files": [{"name": "a//b", "content": ""}]"#, "files[0].name", "Must not contain empty path segments"),
        .with(#""files": [{"name": "a/", "content": ""}]"#, "files[0].name", "Must not contain empty path segments"),
        .with(#""files": [{"name": "a\u0000", "content": ""}]"#, "files[0].name", "Must not contain NUL"),
        .with(
            #""files": [{"name": "a", "content": ""}, {"name": "a", "content": ""}]"#, "files[1].name", "Is named twice"
        ),
        .with(
            #""files": [{"name": "a/b", "content": ""}, {"name": "a", "content": ""}]"#, "files[0].name",
            "Lies beneath another file"),
        .with(
            #""files": [{"name": "a", "content": ""}, {"name": "main.py", "content": ""}, {"name": "b", "content": ""}]"#,
            "files[1].name",
            "Stands in the way of main.py, which holds the code"),
        .with(
            #""files": [{"name": "main.py/x", "content": ""}]"#, "files[0].name",
            "Stands in the way of main.py, which holds the code"),
        .with(
            #""files": [{"name": "a", "content": "", "encoding": "hex"}]"#, "files[0].encoding",
            "Must be \"utf-8\" or \"base64\""),
        .with(
            #""files": [{"name": "a", "content": "a", "encoding": "base64"}]"#, "files[0].content",
            "Is not valid base64"),
        .with(
            #""files": [{"name": "a", "content": "YQ=", "encoding": "base64"}]"#, "files[0].content",
            "Is not valid base64"),
        .with(
            #""files": [{"name": "a", "content": "YR==", "encoding": "base64"}]"#, "files[0].content",
            "Is not valid base64"),
    ]

    @Test("names the wrong field and why", arguments: programs + limits + strings + files)
    func refuses(bad: BadBody) {
        let test = TestAPI()
        let response = test.call("POST", "/api/execute", bytes: Array(bad.body.utf8))
        #expect(response.status == 400)
        let error = response.json["error"]
        #expect(error?["code"] == "VALIDATION_ERROR")
        #expect(error?["details"]?["field"]?.stringValue == bad.field)
        #expect(error?["details"]?["reason"]?.stringValue == bad.reason)
        #expect(!test.repository.calls.contains("admit"))
    }

    @Test("reports all wrong fields at once, in one answer")
    func reportsAll() {
        let body = #"{"language": "cobol", "timeout": 0, "memory_limit": "1K", "args": [1, 2], "extra": 1}"#
        let details = TestAPI().call("POST", "/api/execute", bytes: Array(body.utf8)).json["error"]?["details"]
        let fields = details?["fields"]?.arrayValue?.map { $0["field"]?.stringValue }
        #expect(fields == ["language", "code", "args[0]", "args[1]", "timeout", "memory_limit", "extra"])
    }

    @Test("bounds what it reports")
    func boundsReport() {
        let arguments = Array(repeating: "1", count: 1000).joined(separator: ",")
        let body = #"{"language": "python", "code": "", "args": [\#(arguments)]}"#
        let details = TestAPI().call("POST", "/api/execute", bytes: Array(body.utf8)).json["error"]?["details"]
        #expect(details?["fields"]?.arrayValue?.count == 50)
    }

    @Test(
        "refuses what is too much",
        arguments: [
            ("code", JSONValue.string(String(repeating: "x", count: 1 << 20 | 1))),
            ("stdin", .string(String(repeating: "x", count: 10 << 20 | 1))),
            ("args", .array(Array(repeating: "", count: 1001))),
            ("args[0]", .array([.string(String(repeating: "x", count: 64 << 10 | 1))])),
            ("args", .array(Array(repeating: .string(String(repeating: "\u{1}", count: 1000)), count: 40))),
            ("files", .array((0..<101).map { ["name": .string("f\($0)"), "content": ""] })),
            ("files", [["name": "f", "content": .string(String(repeating: "x", count: 10 << 20 | 1))]]),
            ("files[0].name", [["name": .string(String(repeating: "x", count: 256)), "content": ""]]),
            ("files[0].name", [["name": .string(String(repeating: "x/", count: 2048) + "x"), "content": ""]]),
        ] as [(String, JSONValue)])
    func refusesTooMuch(field: String, value: JSONValue) {
        var object = JSONObject([("language", "python"), ("code", "1")])
        object[String(field.prefix { $0 != "[" })] = value
        let response = TestAPI().call("POST", "/api/execute", .object(object))
        #expect(response.status == 400)
        #expect(response.json["error"]?["details"]?["field"]?.stringValue == field)
    }

    @Test("refuses more processor than there is")
    func refusesProcessor() {
        for cpu in [0.09, 0, -1, 1e300, 100_000] as [Double] {
            let response = TestAPI().call(
                "POST", "/api/execute", ["language": "python", "code": "1", "cpu_limit": .number(cpu)])
            #expect(response.json["error"]?["details"]?["field"] == "cpu_limit")
        }
    }

    @Test(
        "refuses bodies that are no JSON object",
        arguments: [
            "", "x", "[]", "null", "\"a\"", #"{"a": 1"#, #"{"a": 1} x"#, #"{"code": "1", "code": "2"}"#, "{'a': 1}",
        ])
    func refusesOther(body: String) {
        let response = TestAPI().call("POST", "/api/execute", bytes: Array(body.utf8))
        #expect(response.status == 400)
        #expect(response.json["error"]?["details"]?["field"] == "body")
    }

    @Test("refuses invalid UTF-8 and bottomless nesting")
    func refusesBytes() {
        #expect(TestAPI().call("POST", "/api/execute", bytes: [0x22, 0xFF, 0x22]).status == 400)
        let deep = [UInt8](repeating: UInt8(ascii: "["), count: 100_000)
        #expect(TestAPI().call("POST", "/api/execute", bytes: deep).status == 400)
    }

    @Test(
        "refuses other media types",
        arguments: ["text/plain", "", "application/jsonx", "application/json; charset=latin1"])
    func refusesType(type: String) {
        let response = TestAPI().call(
            "POST", "/api/execute", ["language": "python", "code": "1"], headers: ["content-type": type])
        #expect(response.status == 415)
        #expect(response.json["error"]?["code"] == "VALIDATION_ERROR")
    }

    @Test("refuses a body that is too large, broken or short")
    func refusesBody() {
        let test = TestAPI()
        let large = [UInt8](repeating: 0x20, count: (32 << 20) + 1)
        #expect(test.call("POST", "/api/execute", bytes: large).status == 413)
        #expect(test.call("POST", "/api/execute", bytes: [0x7B], failure: .tooShort).status == 400)
        #expect(test.call("POST", "/api/execute", bytes: [0x7B], failure: .broken).status == 400)
    }
}
