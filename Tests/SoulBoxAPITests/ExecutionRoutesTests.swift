import IsolationProtocol
import SoulBoxAPI
import SoulBoxExecution
import SoulBoxModel
import SoulBoxStore
import Synchronization
import Testing

@Suite("Routes of /execute")
struct ExecutionRoutesTests {
    private let body: JSONValue = ["language": "python", "code": "1"]

    private func id(_ response: HTTPResponse) -> String { response.json["execution_id"]?.stringValue ?? "" }

    @Test("a synchronous execution is noted, run and noted again before the answer")
    func synchronous() {
        let test = TestAPI()
        let response = test.call("POST", "/api/execute", body)
        #expect(response.status == 200)
        #expect(response.header("Content-Type") == "application/json; charset=utf-8")
        #expect(response.header("X-Request-ID") == "req_test")
        #expect(response.json["output"] == "Hello, World!\n")
        #expect(Identifier.parse(id(response), .execution) != nil)
        #expect(test.repository.calls == ["admit", "finish"])
        let shown = test.call("GET", "/api/execute/\(id(response))")
        #expect(shown.json == response.json)
    }

    @Test("an asynchronous one is noted only", arguments: [true, false])
    func asynchronous(byHeader: Bool) {
        let test = TestAPI()
        var body: JSONObject = JSONObject([("language", "python"), ("code", "1")])
        if !byHeader { body["async"] = true }
        let headers = byHeader ? ["prefer": "wait=10, respond-async; foo"] : [:]
        let response = test.call("POST", "/api/execute", .object(body), headers: headers)
        #expect(response.status == 202)
        #expect(response.header("Location") == "/api/execute/\(id(response))")
        #expect(response.json["status"] == "queued")
        #expect(response.json["progress"] == 0)
        #expect(test.repository.calls == ["admit"])
    }

    @Test(
        "an execution that could not be carried out is an error with its identifier",
        arguments: [
            (IsolationError.Code.busy, 503), (.unavailable, 503), (.protocolViolation, 503), (.isolationFailed, 500),
            (.invalidSpec, 500), (.templateNotFound, 400),
        ])
    func refused(code: IsolationError.Code, status: Int) {
        let carrier = FakeCarrier { request, started in
            var result = FakeCarrier.hello(request, started)
            result.record.status = .failed
            result.record.termination = Termination(reason: .lost, detail: "no capacity")
            result.refusal = IsolationError(code, "/run/secret/path")
            return result
        }
        let test = TestAPI(carrier: carrier)
        let response = test.call("POST", "/api/execute", body)
        #expect(response.status == status)
        #expect((response.header("Retry-After") != nil) == (status == 503))
        let id = response.json["error"]?["details"]?["execution_id"]?.stringValue ?? ""
        #expect(test.call("GET", "/api/execute/\(id)").json["termination"]?["reason"] == "lost")
        #expect(!String(decoding: response.body, as: UTF8.self).contains("secret"))
    }

    @Test("an execution that was cancelled while it waited does not run on")
    func cancelledWhileWaiting() {
        let repository = FakeRepository()
        let carrier = FakeCarrier { request, started in
            _ = try? repository.requestCancel(request.id, account: FakeRepository.account)
            #expect(!started())
            return FakeCarrier.hello(request, started)
        }
        let response = TestAPI(repository: repository, carrier: carrier).call("POST", "/api/execute", body)
        #expect(response.status == 200)
        #expect(response.json["status"] == "cancelled")
    }

    @Test("a database that is away is 503, and nothing runs")
    func databaseAway() {
        let ran = Mutex(false)
        let carrier = FakeCarrier { request, started in
            ran.withLock { $0 = true }
            return FakeCarrier.hello(request, started)
        }
        let test = TestAPI(carrier: carrier)
        test.repository.state.withLock { $0.isAway = true }
        let response = test.call("POST", "/api/execute", body)
        #expect(response.status == 503)
        #expect(response.header("Retry-After") != nil)
        #expect(response.json["error"]?["code"] == "SYSTEM_ERROR")
        #expect(!ran.withLock { $0 })
    }

    @Test("an isolation service that was never seen is 503")
    func isolatorAway() {
        let catalog = TemplateCatalog { () throws(IsolationError) in
            throw IsolationError(.unavailable, "connect: ENOENT")
        }
        #expect(TestAPI(catalog: catalog).call("POST", "/api/execute", body).status == 503)
        #expect(TestAPI(catalog: catalog).call("GET", "/api/languages").status == 503)
    }

    @Test(
        "unknown and malformed identifiers are alike",
        arguments: ["x", "exec_1", Identifier.make(.execution), Identifier.make(.sandbox)])
    func notFound(id: String) {
        for (method, target) in [("GET", id), ("DELETE", id), ("GET", "\(id)/files/a")] {
            let response = TestAPI().call(method, "/api/execute/\(target)")
            #expect(response.status == 404)
            #expect(response.json["error"]?["code"] == "RESOURCE_NOT_FOUND")
        }
    }

    @Test("cancelling a waiting execution ends it where it waits")
    func cancelWaiting() {
        let test = TestAPI()
        let id = id(test.call("POST", "/api/execute", body, headers: ["prefer": "respond-async"]))
        let response = test.call("DELETE", "/api/execute/\(id)")
        #expect(response.status == 200)
        #expect(
            response.json == [
                "execution_id": .string(id), "status": "cancelled", "message": "Execution cancelled successfully",
            ])
        let account = Identifier.text(.account, uuid: FakeRepository.account)
        #expect(test.carrier.terminated.withLock { $0 } == ["\(account) \(id)"])
        #expect(test.call("DELETE", "/api/execute/\(id)").status == 409)
        #expect(test.call("GET", "/api/execute/\(id)").json["status"] == "cancelled")
    }

    @Test("cancelling a running execution waits for its end", arguments: [ExecutionStatus.cancelled, .completed])
    func cancelRunning(end: ExecutionStatus) {
        let repository = FakeRepository()
        let attempts = Mutex(0)
        let carrier = FakeCarrier(onTerminate: { id in
            // The first word does not reach it yet.
            guard
                attempts.withLock({
                    $0 += 1; return $0
                }) > 1
            else { return false }
            repository.state.withLock { $0.records[id]?.status = end }
            return true
        })
        let test = TestAPI(repository: repository, carrier: carrier)
        let id = id(test.call("POST", "/api/execute", body, headers: ["prefer": "respond-async"]))
        repository.state.withLock { $0.records[id]?.status = .running }
        #expect(test.call("DELETE", "/api/execute/\(id)").status == (end == .cancelled ? 200 : 409))
        #expect(attempts.withLock { $0 } == 2)
    }

    @Test("files come back with their bytes, and never as a page")
    func files() {
        let test = TestAPI()
        let id = id(test.call("POST", "/api/execute", body))
        let response = test.call("GET", "/api/execute/\(id)/files/out/output.txt")
        #expect(response.status == 200)
        #expect(response.body == [1, 2, 3])
        #expect(response.header("Content-Type") == "text/plain; charset=utf-8")
        #expect(response.header("Content-Disposition") == "attachment")
        #expect(response.header("X-Content-Type-Options") == "nosniff")
        #expect(test.call("GET", "/api/execute/\(id)/files/out/other.txt").status == 404)
        #expect(test.call("GET", "/api/execute/\(id)/files/out%2Foutput.txt").status == 404)
    }

    @Test("a file that was too large to keep is told as such")
    func fileNotKept() {
        let carrier = FakeCarrier { request, started in
            var result = FakeCarrier.hello(request, started)
            result.artifacts = [Artifact(path: "big.bin", size: 99_000_000, contents: nil)]
            return result
        }
        let test = TestAPI(carrier: carrier)
        let id = id(test.call("POST", "/api/execute", body))
        let response = test.call("GET", "/api/execute/\(id)/files/big.bin")
        #expect(response.status == 404)
        #expect(response.json["error"]?["details"]?["size"] == 99_000_000)
    }

    @Test("languages tell versions, aliases and limits")
    func languages() {
        let json = TestAPI().call("GET", "/api/languages").json
        let names = json["languages"]?.arrayValue?.map { $0["name"]?.stringValue }
        #expect(names == ["python", "rust", "java"])
        let python = json["languages"]?.arrayValue?.first
        #expect(python?["version"] == "3.11.2")
        #expect(python?["aliases"] == ["python3", "py"])
        #expect(python?["default_template"] == "basic-python")
        #expect(python?["compiled"] == false)
        #expect(python?["templates"]?.arrayValue?.count == 2)
        #expect(json["limits"]?["timeout"] == ["minimum": 1, "maximum": 300, "default": 30])
        #expect(json["limits"]?["memory_limit"] == ["minimum": "16M", "maximum": "4G", "default": "256M"])
    }
}
