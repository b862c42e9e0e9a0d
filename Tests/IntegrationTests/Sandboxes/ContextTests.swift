import Foundation
import SoulBoxModel
import Testing

@Suite("Contexts", .enabled(if: Host.canRunStack), .serialized)
struct ContextTests {
    private func make(_ sandbox: StackSandbox) async throws -> String {
        let answer = try await sandbox.send("POST", "/contexts", [:])
        #expect(answer.status == 201, "\(answer.text)")
        return try #require(answer.json["context_id"]?.stringValue)
    }

    private func run(
        _ sandbox: StackSandbox, _ context: String, _ code: String, _ more: [(String, JSONValue)] = []
    ) async throws -> JSONValue {
        try await sandbox.run(code, [("context_id", .string(context))] + more)
    }

    private func main(_ result: JSONValue) -> JSONValue? {
        result["results"]?.arrayValue?.first { $0["main"] == true }?["data"]
    }

    @Test("Python: variables last, the last expression's value, pictures, tables, errors")
    func python() async throws {
        let sandbox = try await StackSandbox([("resources", ["memory_limit": "1G", "disk_limit": "128M"])])
        let context = try await make(sandbox)
        let first = try await run(sandbox, context, "x = 41\nprint('set')")
        #expect(first["status"] == "completed" && first["output"] == "set\n" && first["results"] == [], "\(first.text)")
        let second = try await run(sandbox, context, "import os\nos.system('echo from a child')\nx + 1")
        #expect(main(second)?["text/plain"] == "42", "\(second.text)")
        #expect(second["output"] == "from a child\n")
        let table = try await run(sandbox, context, "import pandas\npandas.DataFrame({'a': [1, 2]})")
        #expect(main(table)?["text/html"]?.stringValue?.contains("<table") == true, "\(table.text)")
        let plot = try await run(
            sandbox, context, "import matplotlib.pyplot as plt\nplt.plot([1, 2, 3])\nplt.title('t')\nNone")
        let picture = plot["results"]?.arrayValue?.last?["data"]?["image/png"]?.stringValue
        #expect(
            picture.flatMap(Base64.decode)?.starts(with: [0x89, 0x50, 0x4E, 0x47]) == true, "\(plot.text.prefix(600))")
        let failed = try await run(sandbox, context, "def f():\n    return 1 / 0\nf()")
        #expect(failed["status"] == "completed" && failed["exit_code"] == 1)
        let error = failed["results"]?.arrayValue?.first
        #expect(error?["name"] == "ZeroDivisionError" && error?["value"] == "division by zero")
        #expect(error?["traceback"]?.stringValue?.contains("return 1 / 0") == true)
        #expect(error?["traceback"]?.stringValue?.contains("context.py") == false, "\(error?.text ?? "")")
        let awaited = try await run(sandbox, context, "import asyncio\nawait asyncio.sleep(0.01, 'awaited')")
        #expect(main(awaited)?["text/plain"] == "'awaited'")
        // What a look at the execution shows later is the same.
        let id = try #require(second["execution_id"]?.stringValue)
        let shown = try await sandbox.stack.send("GET", "/api/execute/\(id)").json
        #expect(shown["results"] == second["results"] && shown["context_id"] == .string(context))
        try await sandbox.remove()
    }

    @Test("a cell that takes too long is interrupted and its context lives; one that will not is killed, and no other")
    func timeouts() async throws {
        let sandbox = try await StackSandbox()
        let context = try await make(sandbox)
        let other = try await make(sandbox)
        _ = try await run(sandbox, other, "y = 7")
        _ = try await run(sandbox, context, "x = 1")
        let long = try await run(sandbox, context, "import time\ntime.sleep(60)", [("timeout", 1)])
        #expect(long["status"] == "timeout" && (long["execution_time"]?.numberValue ?? 9) < 2, "\(long.text)")
        #expect(main(try await run(sandbox, context, "x"))?["text/plain"] == "1")
        let deaf = try await run(
            sandbox, context,
            "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass", [("timeout", 1)])
        #expect(deaf["status"] == "timeout", "\(deaf.text)")
        let gone = try await sandbox.send(
            "POST", "/execute", ["code": "x", "context_id": .string(context)])
        #expect(gone.status == 404, "\(gone.text)")
        #expect(main(try await run(sandbox, other, "y"))?["text/plain"] == "7")
        let dead = try await run(sandbox, other, "import os\nos.kill(os.getpid(), 9)")
        #expect(dead["status"] == "failed" && dead["termination"]?["signal"] == "SIGKILL", "\(dead.text)")
        let restarted = try await sandbox.send("POST", "/contexts/\(other)/restart")
        #expect(restarted.json["status"] == "running", "\(restarted.text)")
        #expect(try await run(sandbox, other, "y")["exit_code"] == 1)
        let list = try await sandbox.send("GET", "/contexts").json["contexts"]?.arrayValue
        #expect(list?.count == 2)
        #expect(try await sandbox.send("DELETE", "/contexts/\(other)").status == 200)
        #expect(try await sandbox.send("GET", "/contexts/\(other)").status == 404)
        // Idle contexts do not stand in the way.
        #expect(try await sandbox.send("DELETE", "").status == 200)
    }

    @Test("Node.js: variables last, await, values and errors")
    func node() async throws {
        let sandbox = try await StackSandbox(runtime: "nodejs")
        let context = try await make(sandbox)
        let first = try await run(sandbox, context, "const x = 41; console.log('set'); let f = (n) => n + 1")
        #expect(first["output"] == "set\n", "\(first.text)")
        let second = try await run(sandbox, context, "f(x)")
        #expect(main(second)?["text/plain"] == "42", "\(second.text)")
        let awaited = try await run(sandbox, context, "await new Promise((r) => setTimeout(() => r({ a: 1 }), 20))")
        #expect(main(awaited)?["application/json"] == ["a": 1], "\(awaited.text)")
        let failed = try await run(sandbox, context, "throw new TypeError('wrong')")
        #expect(failed["exit_code"] == 1)
        #expect(failed["results"]?.arrayValue?.first?["name"] == "TypeError", "\(failed.text)")
        let endless = try await run(sandbox, context, "while (true) {}", [("timeout", 1)])
        #expect(endless["status"] == "timeout", "\(endless.text)")
        #expect(main(try await run(sandbox, context, "x"))?["text/plain"] == "41")
        try await sandbox.remove()
    }
}
