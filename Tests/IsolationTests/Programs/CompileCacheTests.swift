import Foundation
import IsolationProtocol
import SoulBoxModel
import Testing

/// What was compiled before is not compiled again, for the same account and the same sources alone.
@Suite("Compile cache", .serialized, .enabled(if: Host.canIsolate))
struct CompileCacheTests {
    /// A program that nobody has compiled yet; its compiler has something to remark.
    private func request(_ more: String = "") -> Run.Request {
        var request = Run.Request(
            """
            mod other;
            fn main() {
                let unused = 1;
                println!("{} {:?}", other::NAME, std::env::args().skip(1).collect::<Vec<_>>());
                \(more)
            }
            """)
        request.template = "basic-rust"
        request.file = "main.rs"
        request.files = ["other.rs": Array("pub const NAME: &str = \"\(UUID())\";".utf8)]
        return request
    }

    private func compileTime(_ run: Run) throws -> Int64 { try #require(run.outcome?.compile).wallTimeMicroseconds }

    @Test("the second time takes no compiler, and tells the same")
    func hit() throws {
        var request = request()
        let first = try Run.run(request)
        #expect(try compileTime(first) > 0 && first.outcome?.exitCode == 0, "\(first)")
        request.arguments = ["other", "arguments"]
        let second = try Run.run(request)
        #expect(try compileTime(second) == 0, "\(second)")
        #expect(second.output == first.output.replacing("[]", with: #"["other", "arguments"]"#))
        #expect(first.compileOutput == second.compileOutput && !first.compileOutput.isEmpty)
        #expect(second.outcome?.compile?.exitCode == 0 && second.artifactSizes == first.artifactSizes)
    }

    @Test("another account compiles for itself")
    func account() throws {
        var request = request()
        _ = try Run.run(request)
        request.account = "acct_other"
        #expect(try compileTime(try Run.run(request)) > 0)
        #expect(try compileTime(try Run.run(request)) == 0)
    }

    @Test("another byte in any file is another program")
    func change() throws {
        var request = request()
        _ = try Run.run(request)
        request.files["other.rs"] = Array("pub const NAME: &str = \"changed\";".utf8)
        let run = try Run.run(request)
        #expect(try compileTime(run) > 0)
        #expect(run.output == "changed []\n")
    }

    @Test("what a program does to its own file reaches nobody else")
    func poison() throws {
        let request = request(
            """
            let path = std::env::current_exe().unwrap();
            std::fs::remove_file(&path).unwrap();
            std::fs::write(&path, "#!/bin/sh\\necho poisoned\\n").unwrap();
            """)
        let first = try Run.run(request)
        for _ in 0..<3 {
            let next = try Run.run(request)
            #expect(try compileTime(next) == 0)
            #expect(next.output == first.output && next.outcome?.exitCode == 0, "\(next)")
        }
    }

    @Test("what did not compile is tried again")
    func failure() throws {
        let request = request("let x: i32 = \"no number\";")
        let runs = try (0..<2).map { _ in try Run.run(request) }
        for run in runs {
            #expect(run.reason == .compileError)
            #expect(try compileTime(run) > 0)
        }
        #expect(runs[0].compileOutput == runs[1].compileOutput)
    }
}
