import Foundation
import LinuxKernel
import SoulBoxModel
import TestProcess
import Testing

/// Requests that nobody thought of, made of the API's own description by schemathesis.
@Suite("Schemathesis", .enabled(if: Host.canRunStack))
struct SchemathesisTests {
    private static let program =
        URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../.build/tools/bin/schemathesis")
        .standardized.path

    @Test("finds no 5xx, no answer against the description, no status that is not described")
    func run() throws {
        guard FileManager.default.fileExists(atPath: SchemathesisTests.program) || Host.mustRun else {
            print("SKIPPED schemathesis: it is not installed (scripts/test does that)")
            return
        }
        // A stack of its own: requests with bad credentials count against this address.
        let stack = try TestStack()
        defer { stack.stop() }
        // Each operation is tried with a bad credential, more often in a minute than an address may (row 93 has its own test).
        _ = try TestStack.shell(
            """
            psql --no-psqlrc --quiet 'host=/run/soulbox/\(stack.instance)/postgres user=postgres dbname=soulbox' \
              --command "ALTER DATABASE soulbox SET soulbox.failed_authentications = 100000" \
              --command "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'soulbox' AND pid <> pg_backend_pid()" \
              > /dev/null && sleep 1
            """)
        let log = stack.home + "/schemathesis.log"
        // The bounds of every field come from the description, the same each time (4,000 requests); ten of each operation at random.
        let process = try TestProcess(
            SchemathesisTests.program,
            [
                "run", "http://127.0.0.1:\(stack.port)/api/openapi.json", "--url", "http://127.0.0.1:\(stack.port)",
                "--header", "X-API-Key: \(stack.key)", "--max-examples", "10",
                "--phases", "examples,coverage,fuzzing", "--workers", "2", "--no-color",
                // What is right by itself may still be refused: a name that is taken, an entrypoint among no files.
                "--exclude-checks", "positive_data_acceptance",
            ], environment: ["PATH": "/usr/bin:/bin", "HOME": stack.home], log: log, directory: stack.home)
        let status = process.waitForExit(seconds: 240)
        if status == nil { process.signal(SIGKILL) }
        let said = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
        #expect(status == .exited(0), "\(said.suffix(8000))")
        #expect(said.contains("Tested: "), "\(said.suffix(2000))")
    }
}
