import Foundation
import SoulBoxModel
import Testing

extension LiveTests {
    /// `/ws/execute` in good order, and what it refuses.
    @Suite("/ws/execute", .serialized)
    struct Execute {
        @Test("the reference's example: its messages and no others, each when it is printed")
        func reference() async throws {
            let found = try await LiveClient.run("execute", "reference", on: LiveStack.shared)
            let messages = found["messages"]?.items ?? []
            let last = try #require(messages.last)
            let output = messages.dropLast()
            #expect(output.allSatisfy { $0["type"] == "output" } && last["type"] == "completion")
            let lines = (0..<5).map { "Count: \($0)\n" }
            #expect(output.compactMap { $0["data"]?.stringValue }.joined() == lines.joined())
            // A line is a message, but where the machine has stopped its program in the middle.
            let whole = output.filter { lines.contains($0["data"]?.string ?? "") }
            #expect(whole.count >= 4, "\(output)")
            let begins = output.filter { $0["data"]?.string.hasPrefix("Count") == true } + [last]
            let times = begins.map { $0["at"]?.double ?? 0 }
            for (one, next) in zip(times, times.dropFirst()) { #expect((0.8...1.5).contains(next - one), "\(times)") }
            #expect(last["status"] == "completed" && last["exit_code"] == 0 && last["execution_id"] != nil)
            #expect((4.9...6).contains(last["execution_time"]?.double ?? 0), "\(last.text)")
            #expect(found["differences"] == [])
        }

        @Test("input, its end, signals, cancel, deadline, bytes, a terminal: told as GET /execute/{id} tells it")
        func controls() async throws {
            let runs = try await LiveClient.run("execute", "controls", on: LiveStack.shared)
            func last(_ name: String) -> JSONValue { runs[name]?["messages"]?.items.last ?? .null }
            func text(_ name: String) -> String { runs[name]?["text"]?.string ?? "" }
            for name in try #require(runs.objectValue?.names) {
                #expect(runs[name]?["differences"] == [], "\(name)")
                let ends = (runs[name]?["messages"]?.items ?? []).count { $0["type"] == "completion" }
                #expect(ends == 1, "\(name)")
            }
            #expect(text("lines") == "ready\nONE\nZWÖLF\nend\n" && last("lines")["status"] == "completed")
            #expect(text("bytes") == "ff00fe\n" && text("whole") == "616263\n")
            #expect(text("term") == "ready\ngot SIGTERM\n" && last("term")["exit_code"] == 3)
            #expect(last("at_once")["termination"]?["signal"] == "SIGTERM", "\(last("at_once").text)")
            #expect(last("kill")["status"] == "failed" && last("kill")["termination"]?["signal"] == "SIGKILL")
            #expect(last("cancel")["status"] == "cancelled" && last("deadline")["status"] == "timeout")
            let encoded = (runs["binary"]?["messages"]?.items ?? []).filter { $0["encoding"] == "base64" }
            #expect(encoded.map { $0["data"]?.string } == ["/wAK"] && encoded.first?["stream"] == "stdout")
            let shown = text("pty")
            #expect(shown.contains("[True, True, True] os.terminal_size(columns=100, lines=30)"), "\(shown)")
            #expect(shown.contains("columns=132, lines=50") && shown.contains("typed\r\n"), "\(shown)")
            let first = runs["pty"]?["messages"]?.items.first
            #expect(first?["type"] == "started" && first?["id"] == "terminal")
        }

        @Test("eight at once by their names and three in turn, each with one last message and none of another's")
        func several() async throws {
            let found = try await LiveClient.run("execute", "several", on: LiveStack.shared)
            let runs = try #require(found["runs"]?.objectValue)
            #expect(runs.names.count == 8 && (found["overlap"]?.double ?? 0) >= 4, "\(found["overlap"]?.text ?? "")")
            for name in runs.names {
                let run = runs[name] ?? .null
                let lines = (0..<20).map { "\(name) \($0)\n" }.joined() + "for \(name)\n"
                #expect(run["text"]?.string == lines && run["differences"] == [], "\(run.text)")
                let types = run["types"]?.items.map(\.string) ?? []
                #expect(types.first == "started" && types.count { $0 == "completion" } == 1, "\(types)")
            }
            let inTurn = found["in_turn"]?.items ?? []
            #expect(inTurn.compactMap { $0["data"]?.stringValue }.joined() == "0\n1\n2\n")
            #expect(inTurn.count { $0["type"] == "completion" } == 3 && inTurn.last?["type"] == "completion")
            #expect(Set(inTurn.compactMap { $0["execution_id"]?.string }).count == 3)
            #expect(inTurn.allSatisfy { $0["id"] == nil } && found["after"] == [])
        }

        @Test("what is wrong is told with the envelope of REST, and the connection stays")
        func refused() async throws {
            let found = try await LiveClient.run("execute", "refused", on: LiveStack.shared)
            for one in try #require(found["like_rest"]?.arrayValue) {
                #expect(
                    one["same"] == true && one["told"]?["id"] == "x" && (one["status"]?.double ?? 0) >= 400,
                    "\(one.text)")
                #expect(one["told"]?["execution_id"] == nil && one["told"]?["type"] == "error")
            }
            let fields = [
                "message", "message", "message", "message", "type", "type", "id", "id", "async", "pty", "rows", nil,
                nil,
                "execution_id", nil, "from_sequence", "surprise", "message", "message", "message", "id", "signal",
                "signal", "data", "data", "encoding", "rows", nil, "execution_id",
            ]
            let own = try #require(found["own"]?.arrayValue)
            #expect(own.count == fields.count)
            for (one, field) in zip(own, fields) {
                let error = one["told"]?["error"]
                #expect(one["told"]?["type"] == "error" && error?["request_id"]?.stringValue?.hasPrefix("req_") == true)
                if let field {
                    #expect(
                        error?["code"] == "VALIDATION_ERROR" && error?["details"]?["field"]?.string == field,
                        "\(one.text)")
                }
            }
            #expect(own[11]["told"]?.code == "RESOURCE_NOT_FOUND" && own[12]["told"]?.code == "RESOURCE_NOT_FOUND")
            #expect(own[14]["told"]?.code == "RESOURCE_NOT_FOUND" && own[27]["told"]?.code == "RESOURCE_LIMIT_EXCEEDED")
            #expect(found["last"]?["status"] == "cancelled")
        }

        @Test("the key's rate and the account's quota refuse with the codes of REST, and nothing is kept")
        func limits() async throws {
            let stack = try LiveStack.shared
            let (account, _) = try await stack.makeAccount()
            let name = try await stack.send("GET", "/api/accounts/\(account)").json["name"]?.string ?? ""
            let key = try stack.makeKey(account: name, limits: ["standard=0", "execution=3"])
            try await TestStack.awaitMinute(leaving: 8)
            let found = try await LiveClient.run("execute", "limits", on: stack, key: key)
            let told = found["told"]?.items ?? []
            #expect(told.map { $0["type"]?.string } == ["completion", "completion", "completion", "error", "error"])
            let error = told.last?["error"]
            #expect(error?["code"] == "RESOURCE_LIMIT_EXCEEDED" && found["status"] == 429, "\(found.text)")
            #expect(error?["message"] == found["rest"]?["error"]?["message"])
            #expect((1...60).contains(error?["details"]?["retry_after"]?.double ?? 0))
            #expect(found["kept"] == 3 && found["fields"]?["x-ratelimit-remaining"] == "0")

            let (_, busy) = try await stack.makeAccount(quotas: ["concurrent_executions": 2])
            let quota = try await LiveClient.run("execute", "quota", on: stack, key: busy)
            #expect(quota["refused"]?.code == "RESOURCE_LIMIT_EXCEEDED" && quota["refused"]?["id"] == "third")
            #expect(quota["refused"]?["error"]?["details"]?["quota"] == "concurrent_executions", "\(quota.text)")
            #expect(quota["taken"]?["status"] == "completed", "\(quota.text)")
        }

        @Test("who may not come in is told so over HTTP, before anything is a WebSocket")
        func door() async throws {
            let stack = try LiveStack.shared
            let sandbox = try await StackSandbox(on: stack)
            let token = try await stack.send("POST", "/api/auth/token").json["token"]?.string ?? ""
            let (_, foreign) = try await stack.makeAccount()
            try await TestStack.awaitMinute(leaving: 4)
            let found = try await LiveClient.run(
                "door", "door", on: stack, key: foreign,
                [
                    ("token", .string(token)), ("other_sandbox", .string(sandbox.id)),
                    ("weak", .string(try stack.makeKey("sandbox_read"))),
                    ("limited", .string(try stack.makeKey("execute", limits: ["standard=2"]))),
                ])
            try await sandbox.remove()
            #expect(found["accepted"] == true)
            let wanted: [(String, Int, String)] = [
                ("good", 101, ""), ("none", 401, "AUTHENTICATION_REQUIRED"), ("wrong", 401, "AUTHENTICATION_REQUIRED"),
                ("query", 401, "AUTHENTICATION_REQUIRED"), ("query_beside", 101, ""), ("protocol", 101, ""),
                ("protocol_key", 101, ""),
                ("protocol_wrong", 401, "AUTHENTICATION_REQUIRED"), ("protocol_other", 101, ""),
                ("authorization", 101, ""), ("origin", 101, ""), ("origin_alone", 401, "AUTHENTICATION_REQUIRED"),
                ("weak", 403, "INSUFFICIENT_PERMISSIONS"), ("weak_monitor", 403, "INSUFFICIENT_PERMISSIONS"),
                ("nowhere", 404, "RESOURCE_NOT_FOUND"), ("health", 404, "RESOURCE_NOT_FOUND"),
                ("foreign_sandbox", 404, "RESOURCE_NOT_FOUND"), ("no_sandbox", 404, "RESOURCE_NOT_FOUND"),
                ("version", 426, "VALIDATION_ERROR"), ("no_version", 426, "VALIDATION_ERROR"),
                ("no_nonce", 426, "VALIDATION_ERROR"), ("bad_nonce", 400, "VALIDATION_ERROR"),
                ("post", 405, "VALIDATION_ERROR"), ("plain", 426, "VALIDATION_ERROR"), ("limited", 101, ""),
                ("limited_stream", 404, "RESOURCE_NOT_FOUND"), ("limited_over", 429, "RESOURCE_LIMIT_EXCEEDED"),
            ]
            for (name, status, code) in wanted {
                let answer = found[name] ?? .null
                #expect(answer["status"]?.double == Double(status), "\(name): \(answer.text)")
                let fields = answer["fields"]
                #expect(fields?["x-request-id"]?.stringValue?.hasPrefix("req_") == true, "\(name): \(answer.text)")
                guard status != 101 else { continue }
                #expect(answer["body"]?.code == code, "\(name): \(answer.text)")
                #expect(answer["body"]?["error"]?["request_id"] == fields?["x-request-id"], "\(name): \(answer.text)")
                #expect((status == 401) == (fields?["www-authenticate"] != nil), "\(name)")
            }
            #expect(found["protocol"]?["fields"]?["sec-websocket-protocol"]?.string == "bearer.\(token)")
            #expect(found["protocol_other"]?["fields"]?["sec-websocket-protocol"] == nil)
            #expect(found["good"]?["fields"]?["sec-websocket-extensions"] == nil)
            for (name, left) in [("limited", "1"), ("limited_stream", "0"), ("limited_over", "0")] {
                let fields = found[name]?["fields"]
                #expect(fields?["x-ratelimit-limit"] == "2" && fields?["x-ratelimit-reset"] != nil, "\(name)")
                #expect(fields?["x-ratelimit-remaining"]?.stringValue == left, "\(name)")
                #expect(fields?["x-soulbox-rate"] == nil && (name == "limited_over") == (fields?["retry-after"] != nil))
            }
            #expect(found["good"]?["fields"]?["x-ratelimit-limit"] == nil)
            #expect(found["version"]?["fields"]?["sec-websocket-version"] == "13")
        }
    }
}
