import ArgumentParser
import Foundation
import LinuxKernel
import SoulBoxModel

/// `soulbox demo`: runs a program in every language through nginx, as a user would, and shows what came of it.
struct DemoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "Run one program per language through the API and show the results.")

    @OptionGroup var options: InstanceOptions

    private static let programs = [
        (
            "python",
            "import sys, numpy\nprint('Hello from Python', sys.version.split()[0], '- numpy', numpy.__version__)"
        ),
        ("nodejs", "console.log('Hello from Node.js', process.version)"),
        ("rust", "fn main() { println!(\"Hello from Rust, {:?}\", (1..=4).map(|n| n * n).collect::<Vec<u32>>()); }"),
        (
            "go",
            "package main\n\nimport (\"fmt\"; \"runtime\")\n\nfunc main() { fmt.Println(\"Hello from Go\", runtime.Version()) }"
        ),
        (
            "java",
            "public class Hello { public static void main(String[] a) { "
                + "System.out.println(\"Hello from Java \" + Runtime.version().feature()); } }"
        ),
    ]

    func run() throws {
        let instance = options.instance
        let configuration = try OperatorConfiguration.load(instance)
        let keyFile = instance.home + "/api-key"
        guard let key = try? Files.readString(keyFile).trimmingCharacters(in: .whitespacesAndNewlines) else {
            throw OperatorError("\(keyFile) is missing", advice: "soulbox api-key create --name NAME --permissions all")
        }
        var failures = 0
        for (language, code) in DemoCommand.programs {
            let body: JSONValue = ["language": .string(language), "code": .string(code)]
            let answer = try HTTPProbe.request(
                port: configuration.http.port, "POST", "/api/execute", key: key, body: body.text)
            let result = try? JSONParser.parse(Array(answer.body.utf8))
            let output = result?["output"]?.stringValue?.trimmingCharacters(in: .whitespacesAndNewlines) ?? ""
            let seconds = result?["execution_time"]?.numberValue ?? 0
            guard answer.status == 200, result?["status"]?.stringValue == "completed", !output.isEmpty else {
                failures += 1
                print("  \(language): failed (HTTP \(answer.status)): \(answer.body.prefix(600))")
                continue
            }
            print("  \(language): \(output)  [\(Int(seconds * 1000)) ms]")
        }
        guard failures == 0 else {
            throw OperatorError(
                "\(failures) of the five programs failed", advice: "soulbox status; logs: \(instance.logs)")
        }
    }
}
