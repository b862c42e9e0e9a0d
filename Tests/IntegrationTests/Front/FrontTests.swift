import Foundation
import SoulBoxModel
import Testing

/// What nginx and the router do with requests that reach no handler.
@Suite("The front", .enabled(if: Host.canRunStack))
struct FrontTests {
    private var stack: TestStack { .shared }

    private func curl(_ arguments: String...) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/curl")
        process.arguments = ["--silent", "--max-time", "20"] + arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return output
    }

    @Test(
        "every error has the envelope",
        arguments: [
            ("GET", "/", 404), ("GET", "/api", 404), ("GET", "/api/nothing", 404), ("GET", "/api/execute/exec_x", 404),
            ("GET", "/api/execute/exec_01h00000000000000000000000", 404), ("PATCH", "/api/execute", 405),
            ("DELETE", "/api/health", 405), ("GET", "/api/execute/%2e%2e/health", 404), ("GET", "/api//health", 404),
        ])
    func envelope(method: String, path: String, status: Int) async throws {
        let answer = try await stack.send(method, path)
        #expect(answer.status == status, "\(answer.text)")
        #expect(answer.json["error"]?["code"]?.stringValue != nil && answer.json["error"]?["request_id"] != nil)
        if status == 405 { #expect(answer.headers["allow"] != nil) }
        for word in ["/var/", "/run/", "SQLSTATE", "errno", "nginx/"] { #expect(!answer.text.contains(word)) }
    }

    @Test("102: a body beyond every limit is refused with the envelope")
    func tooLarge() async throws {
        let answer = try await stack.send("POST", "/api/execute", body: [UInt8](repeating: 0x20, count: 40 << 20))
        #expect(answer.status == 413 && answer.json["error"]?["code"] == "VALIDATION_ERROR", "\(answer.text)")
    }

    @Test("health needs no key, and tells components to those who may know")
    func health() async throws {
        let open = try await stack.send("GET", "/api/health", authenticated: false)
        #expect(open.status == 200 && open.json["status"] == "healthy" && open.json["components"] == nil)
        let full = try await stack.send("GET", "/api/health")
        let names = full.json["components"]?.arrayValue?.compactMap { $0["name"]?.stringValue } ?? []
        #expect(Set(names).isSuperset(of: ["database", "container_manager"]))
        #expect(full.json["version"]?.stringValue != nil && full.json["uptime"]?.numberValue != nil)
    }

    @Test("languages tells versions and limits")
    func languages() async throws {
        let answer = try await stack.send("GET", "/api/languages")
        #expect(answer.status == 200)
        for name in ["python", "nodejs", "rust", "go", "java"] { #expect(answer.text.contains("\"\(name)\"")) }
    }

    @Test("TLS and HTTP/2 answer too")
    func tls() throws {
        let output = try curl(
            "--insecure", "--http2", "--include", "--header", "X-API-Key: \(stack.key)",
            "https://127.0.0.1:\(stack.tlsPort)/api/health")
        #expect(output.hasPrefix("HTTP/2 200") && output.contains("\"healthy\""), "\(output)")
    }

    @Test("a client's own request id is kept when it is harmless")
    func requestID() async throws {
        let kept = try await stack.send("GET", "/api/health", headers: ["X-Request-ID": "my-id_1"])
        #expect(kept.headers["x-request-id"] == "my-id_1")
        let replaced = try await stack.send("GET", "/api/health", headers: ["X-Request-ID": "bad\"id"])
        #expect(replaced.headers["x-request-id"]?.hasPrefix("req_") == true)
    }

    @Test("104: a Proxy header changes nothing")
    func httpoxy() async throws {
        let answer = try await stack.send("GET", "/api/health", headers: ["Proxy": "http://evil.invalid"])
        #expect(answer.status == 200)
    }

    @Test("binaries link what they need and no more")
    func linking() throws {
        func libraries(_ name: String) throws -> String {
            let process = Process()
            process.executableURL = URL(filePath: "/usr/bin/ldd")
            process.arguments = ["\(TestStack.binaries)/\(name)"]
            let pipe = Pipe()
            process.standardOutput = pipe
            process.standardError = pipe
            try process.run()
            let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            return output
        }
        let isolator = try libraries("soulbox-isolator")
        #expect(isolator.contains("libseccomp") && isolator.contains("libcap"))
        for name in ["libpq", "libfcgi", "libssl"] { #expect(!isolator.contains(name)) }
        let worker = try libraries("soulbox-worker")
        #expect(worker.contains("libpq") && worker.contains("libfcgi"))
        for name in ["libseccomp", "libcap."] { #expect(!worker.contains(name)) }
        let scheduler = try libraries("soulbox-scheduler")
        for name in ["libseccomp", "libcap.", "libfcgi"] { #expect(!scheduler.contains(name)) }
        #expect(try libraries("soulbox-init").contains("not a dynamic executable"))
        for name in ["soulbox-isolator", "soulbox-worker", "soulbox-scheduler", "soulbox"] {
            #expect(!(try libraries(name)).contains("libswift"), "\(name)")
        }
    }
}
