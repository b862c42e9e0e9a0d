import SoulBoxAPI
import SoulBoxExecution
import SoulBoxModel
import Synchronization
import Testing

@Suite("What POST /execute runs")
struct ExecuteRequestTests {
    /// The spec that reached the runner.
    private func spec(_ body: JSONValue) -> ExecutionSpec? {
        let seen = Mutex<ExecutionSpec?>(nil)
        let carrier = FakeCarrier { request, started in
            seen.withLock { $0 = request.spec }
            return FakeCarrier.hello(request, started)
        }
        let response = TestAPI(carrier: carrier).call("POST", "/api/execute", body)
        #expect(response.status == 200)
        return seen.withLock { $0 }
    }

    @Test("defaults are those of the reference")
    func defaults() {
        let spec = spec(["language": "python", "code": "print(1)"])
        #expect(spec == ExecutionSpec(runtime: .python, template: "basic-python", code: "print(1)"))
        #expect(
            spec?.limits == ExecutionLimits(timeoutMilliseconds: 30_000, memoryBytes: 256 << 20, cpuMillicores: 1000))
    }

    @Test("the body of the reference means what it says")
    func reference() {
        let spec = spec([
            "language": "python", "code": "print('Hello, World!')", "timeout": 30, "memory_limit": "256M",
            "cpu_limit": 1.0, "files": [["name": "input.txt", "content": "Sample input data"]],
            "environment": ["CUSTOM_VAR": "value"], "network_access": false,
        ])
        #expect(spec?.files == [InputFile(path: "input.txt", contents: Array("Sample input data".utf8))])
        #expect(spec?.environment == [.init(name: "CUSTOM_VAR", value: "value")])
        #expect(spec?.limits == ExecutionLimits())
    }

    @Test(
        "languages have the names that people type",
        arguments: [("python3", Runtime.python), ("py", .python), ("rs", .rust), ("rust", .rust), ("java", .java)])
    func aliases(name: String, runtime: Runtime) {
        #expect(spec(["language": .string(name), "code": "1"])?.runtime == runtime)
    }

    @Test(
        "templates are found by identifier, then by name and language",
        arguments: [("basic", "basic-python"), ("basic-python", "basic-python"), ("science", "science")])
    func templates(name: String, id: String) {
        #expect(spec(["language": "python", "code": "1", "template": .string(name)])?.template == id)
    }

    @Test("versions may be written short", arguments: ["3", "3.11", "3.11.2"])
    func versions(version: String) {
        #expect(spec(["language": "python", "code": "1", "version": .string(version)]) != nil)
    }

    @Test(
        "sizes and shares are taken as they are written",
        arguments: [
            ("16M" as JSONValue, 16 << 20), ("64Mi", 64 << 20), ("1.5G", 3 << 29), (268_435_456, 256 << 20),
            ("4G", 4 << 30),
        ] as [(JSONValue, Int64)])
    func memory(value: JSONValue, bytes: Int64) {
        #expect(spec(["language": "python", "code": "1", "memory_limit": value])?.limits.memoryBytes == bytes)
    }

    @Test("shares of a core become thousandths", arguments: [(0.1, 100), (0.25, 250), (1, 1000)] as [(Double, Int)])
    func cores(value: Double, millicores: Int) {
        #expect(
            spec(["language": "python", "code": "1", "cpu_limit": .number(value)])?.limits.cpuMillicores == millicores)
    }

    @Test("code with NUL, quotes and backticks is data")
    func codeIsData() {
        let code = "a\u{0}'\"`$(id)\\\n\u{1F600}"
        #expect(spec(["language": "python", "code": .string(code), "stdin": .string(code)])?.code == code)
    }

    @Test("an entry point needs no code, and base64 brings any bytes")
    func entrypoint() {
        let spec = spec([
            "language": "python", "entrypoint": "pkg/run.py", "args": ["a", ""],
            "files": [["name": "pkg/run.py", "content": "AP+A", "encoding": "base64"]],
        ])
        #expect(spec?.entrypoint == "pkg/run.py")
        #expect(spec?.code == nil)
        #expect(spec?.files == [InputFile(path: "pkg/run.py", contents: [0, 255, 128])])
        #expect(spec?.arguments == ["a", ""])
    }

    @Test("names that differ in bytes only are different files")
    func byteNames() {
        let spec = spec([
            "language": "python", "code": "1",
            "files": [["name": "\u{E9}", "content": "1"], ["name": "e\u{301}", "content": "2"]],
        ])
        #expect(spec?.files.count == 2)
    }

    @Test("null is an absent field")
    func null() {
        let spec = spec([
            "language": "python", "code": "1", "timeout": nil, "files": nil, "environment": nil, "async": nil,
        ])
        #expect(spec == ExecutionSpec(runtime: .python, template: "basic-python", code: "1"))
    }
}
