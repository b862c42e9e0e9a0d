import Foundation
import SoulBoxModel
import Testing

extension LiveTests {
    /// Terminals, figures, and streams over HTTP.
    @Suite("Terminals and streams", .serialized)
    struct Streams {
        @Test("an interactive shell: sizes, the interrupt character, mistakes, its end")
        func shell() async throws {
            let stack = try LiveStack.shared
            let sandbox = try await StackSandbox(on: stack)
            let found = try await LiveClient.run(
                "terminal", "shell", on: stack, [("sandbox", .string(sandbox.id))])
            let shown = found["shown"]
            #expect(shown?["first"]?.string.contains("33 111") == true, "\(shown?.text ?? "")")
            #expect(shown?["first"]?.string.contains("bash") == true)
            #expect(shown?["place"]?.string.contains("/workspace") == true)
            let wrong = found["wrong"]?.items ?? []
            #expect(wrong.map { $0["error"]?["details"]?["field"]?.string } == ["data", "rows", "type", "x"])
            #expect(
                found["last"]?["exit_code"] == 7 && found["last"]?["type"] == "completion" && found["close"] == 1000)
            #expect(try await sandbox.send("GET", "/files/kept.txt").text == "kept\n")
            let lost = try await LiveClient.run("terminal", "lost", on: stack, [("sandbox", .string(sandbox.id))])
            #expect(lost["before"] == "1\n" && lost["after"] == "0\n", "\(lost.text)")
            try await sandbox.remove()
        }

        @Test("figures come as often as is asked for, and end")
        func monitor() async throws {
            let found = try await LiveClient.run("monitor", "monitor", on: LiveStack.shared)
            let heard = found["heard"]?.items ?? []
            for one in heard {
                #expect(one["type"] == "metric_update" && one["value"]?.numberValue != nil, "\(one.text)")
                #expect(Timestamp(rfc3339: one["timestamp"]?.string ?? "") != nil)
            }
            let names = Set(heard.compactMap { $0["metric"]?.stringValue })
            #expect(names.isSuperset(of: ["memory_usage", "active_containers", "queue_depth", "executions_running"]))
            let depths = heard.filter { $0["metric"] == "queue_depth" }.compactMap { $0["at"]?.double }
            for (one, next) in zip(depths, depths.dropFirst()) {
                // One that a busy machine delays is nearer to the next.
                #expect((0.5...1.6).contains(next - one), "\(depths)")
            }
            #expect(depths.count >= 4)
            let middle = Int(found["middle"]?.double ?? 0)
            let after = heard.dropFirst(middle).dropFirst(3).compactMap { $0["metric"]?.stringValue }
            #expect(!after.contains("memory_usage") && after.contains("queue_depth"), "\(after)")
            #expect(
                found["quiet"]?.items.allSatisfy { ($0["at"]?.double ?? 0) < (heard.last?["at"]?.double ?? 0) + 0.3 }
                    == true)
            #expect(
                found["wrong"]?.items.map { $0["error"]?["details"]?["field"]?.string }
                    == ["metrics", "metrics", "metrics[0]", "interval", "type", "x"])
        }

        @Test("server-sent events: live, taken up after a lost connection, after the end, by others not at all")
        func events() async throws {
            let stack = try LiveStack.shared
            let (_, foreign) = try await stack.makeAccount()
            let found = try await LiveClient.run("events", "events", on: stack, [("foreign", .string(foreign))])
            #expect(
                found["fields"]?["content-type"] == "text/event-stream"
                    && found["fields"]?["cache-control"] == "no-store")
            let events = found["events"]?.items ?? []
            let text = events.compactMap { $0["data"]?["data"]?.stringValue }.joined()
            #expect(text == (0..<40).map { "\($0)\n" }.joined(), "\(text)")
            #expect(events.count { $0["event"] == "completion" } == 1 && events.last?["event"] == "completion")
            #expect(found["differences"] == [], "\(found["differences"]?.text ?? "")")
            #expect(events.allSatisfy { $0["data"]?["type"] == $0["event"] })
            #expect(found["direct"]?.items.last == "completion")
            let again = found["again"]?.items ?? []
            #expect(again.compactMap { $0["data"]?["data"]?.stringValue }.joined() == text)
            #expect(found["beyond"]?.items.last?["event"] == "completion" && found["odd"]?["event"] == "completion")
            #expect(found["foreign"]?["status"] == 404 && found["foreign"]?["body"]?.code == "RESOURCE_NOT_FOUND")
            #expect(found["post"]?["status"] == 405 && found["post"]?["body"]?.code == "VALIDATION_ERROR")
            #expect(found["ordinary"]?.items.map { $0["event"]?.string } == ["output", "completion"])
            #expect(found["ordinary"]?.items.first?["data"]?["data"] == "ordinary\n")
            #expect(
                found["later"]?.items.map { $0["event"]?.string } == ["output", "completion"],
                "\(found["later"]?.text ?? "")")
        }

        @Test("the output of a background process, followed")
        func logs() async throws {
            let stack = try LiveStack.shared
            let sandbox = try await StackSandbox(on: stack)
            let (_, foreign) = try await stack.makeAccount()
            let found = try await LiveClient.run(
                "events", "logs", on: stack, [("sandbox", .string(sandbox.id)), ("foreign", .string(foreign))])
            try await sandbox.remove()
            let lines = found["lines"]?.items ?? []
            let text = (0..<20).map { "\($0)\n" }.joined()
            #expect(found["type"] == "application/x-ndjson")
            #expect(lines.compactMap { $0["data"]?.stringValue }.joined() == text, "\(lines)")
            #expect(lines.last?["process"]?["status"] == "exited" && lines.last?["process"]?["exit_code"] == 0)
            #expect((found["seconds"]?.double ?? 0) > 0.7, "they come as they are printed")
            let later = found["later"]?.items ?? []
            #expect(
                text.hasSuffix(later.compactMap { $0["data"]?.stringValue }.joined()) && later.last?["process"] != nil)
            #expect(found["foreign"]?.items.first == 404 && found["odd"]?.items.first == 400, "\(found.text)")
        }
    }
}
