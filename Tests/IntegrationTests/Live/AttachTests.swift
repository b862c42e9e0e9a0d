import Foundation
import SoulBoxModel
import Testing

extension LiveTests {
    /// Coming back to an execution.
    @Suite("attach", .serialized)
    struct Attach {
        @Test("10,000 lines over five lost connections: none is lost, none comes twice, and there is one end")
        func resume() async throws {
            let found = try await LiveClient.run("attach", "resume", on: LiveStack.shared)
            #expect(found["lost"] == 5 && found["in_order"] == true && found["whole"] == true)
            #expect(
                found["kinds"] == ["completion"] && found["last"]?["status"] == "completed", "\(found.text.prefix(800))"
            )
            #expect(found["differences"] == [] && found["again"] == ["output", "completion"])
            #expect(found["again_last"]?["exit_code"] == 0)
        }

        @Test("a second connection takes an execution over; another account finds none")
        func takeover() async throws {
            let stack = try LiveStack.shared
            let (_, foreign) = try await stack.makeAccount()
            for _ in 0..<3 {
                let found = try await LiveClient.run("attach", "takeover", on: stack, [("foreign", .string(foreign))])
                #expect(
                    found["first"]?.items.last?["type"] == "detached" && found["first"]?.items.last?["id"] == "mine")
                #expect(found["early"]?.code == "RESOURCE_NOT_FOUND" && found["late"]?.code == "RESOURCE_NOT_FOUND")
                let taken = found["second"]?.items ?? []
                let types = taken.map { $0["type"]?.string ?? "" }
                #expect(types.first == "started" && types.last == "completion", "\(types)")
                #expect(taken.allSatisfy { $0["id"] == "theirs" })
                #expect(taken.compactMap { $0["data"]?.stringValue }.joined() == "ready\nHELLO\n")
                #expect(found["differences"] == [])
                let refused = found["foreign"]?.items ?? []
                #expect(refused.count == 2 && refused.allSatisfy { $0.code == "RESOURCE_NOT_FOUND" }, "\(refused)")
            }
        }

        @Test("input that the program does not take is refused in time, by whichever gateway")
        func flood() async throws {
            let found = try await LiveClient.run("attach", "flood", on: LiveStack.shared)
            #expect(found["large"]?.items.count == 4)
            for one in found["large"]?.items ?? [] { #expect(one.code == "RESOURCE_LIMIT_EXCEEDED", "\(one.text)") }
            // 16 pieces were sent; what was refused was not read, and the rest was, whole.
            let refused = found["refused"]?.items ?? []
            #expect(refused.count >= 1 && refused.allSatisfy { $0["execution_id"] == nil && $0["id"] == "b" })
            let read = (found["text"]?.string ?? "").split(separator: "\n").last.flatMap { Int($0) }
            #expect(read == (16 - refused.count) * 100_000, "\(found.text.prefix(2000))")
            #expect(found["last"]?["status"] == "completed")
        }

        @Test("nobody comes back within the grace period: cancelled, and a late client is told from what is stored")
        func abandoned() async throws {
            let found = try await LiveClient.run("attach", "abandoned", on: LiveStack.shared)
            #expect((3.5...8).contains(found["seconds"]?.double ?? 0), "\(found["seconds"]?.text ?? "")")
            #expect(found["record"]?["status"] == "cancelled" && found["record"]?["output"] == "1\n")
            #expect(found["told"]?.items.last?["status"] == "cancelled", "\(found["told"]?.text ?? "")")
            #expect(found["told"]?.items.count { $0["type"] == "completion" } == 1)
        }
    }
}
