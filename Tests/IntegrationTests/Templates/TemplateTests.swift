import Foundation
import Glibc
import LinuxKernel
import SoulBoxModel
import Testing

@Suite("Templates of users", .enabled(if: Host.canRunStack), .serialized)
struct TemplateTests {
    @Test("files, variables and commands make a template that executions and sandboxes begin with")
    func life() async throws {
        let account = try await TemplateAccount()
        let id = try await account.make([
            ("description", "Mine"), ("environment", ["GREETING": "hello {build}", "PATH_LIKE": "$PATH"]),
            (
                "files",
                [
                    ["name": "data/in.txt", "content": "from the template"],
                    ["name": "raw.bin", "content": "AP+A", "encoding": "base64"], ["name": "gone", "content": "x"],
                ]
            ),
            (
                "setup",
                [
                    "echo made >made && rm gone && env | grep ^GREETING",
                    "mkdir -p /opt/template/bin && printf '#!/bin/sh\\necho tool' >/opt/template/bin/tool && chmod +x /opt/template/bin/tool",
                    "mkdir -p /opt/template/lib/python3.11/site-packages && echo 'value = 42' >/opt/template/lib/python3.11/site-packages/mine.py",
                ]
            ),
        ])
        let early = try await account.run("print(1)", template: id)
        #expect([400, 200].contains(early.status), "\(early.text)")
        let build = try await account.awaitBuild(id)
        #expect(build["status"] == "ready" && build["version"] == "1", "\(build.text)")
        let log = build["log"]?.stringValue ?? ""
        for line in ["file data/in.txt: 17 bytes", "$ echo made", "GREETING=hello {build}", "version 1 is ready"] {
            #expect(log.contains(line), "\(log)")
        }
        let details = try await account.send("GET", "/api/templates/\(id)").json
        #expect(details["status"] == "ready" && details["base"] == "basic-python" && details["runtime"] == "python")
        #expect(details["environment"] == ["GREETING": "hello {build}", "PATH_LIKE": "$PATH"])
        #expect(details["files"]?.arrayValue?.first == ["name": "data/in.txt", "content": "from the template"])
        #expect(details["size_bytes"]?.integerValue ?? 0 > 0)
        let code = """
            import os, mine
            print(open('data/in.txt').read(), open('raw.bin','rb').read(), os.path.exists('gone'), open('made').read().strip(),
                  os.environ['GREETING'], mine.value, os.popen('tool').read().strip(), [n for n in os.listdir('/tmp') if n != '.soulbox'])
            """
        let expected = "from the template b'\\x00\\xff\\x80' False made hello {build} 42 tool []\n"
        let once = try await account.run(code, template: id)
        #expect(once.json["output"] == .string(expected), "\(once.text)")
        // A sandbox keeps its version when there is a newer one.
        let made = try await account.send(
            "POST", "/api/sandboxes?wait=true", ["template": .string(id), "resources": ["disk_limit": "64M"]])
        #expect(made.status == 201 && made.json["template"] == .string(id), "\(made.text)")
        let sandbox = try #require(made.json["sandbox_id"]?.stringValue)
        let body: JSONValue = ["code": .string(code)]
        let stays = try await account.send("POST", "/api/sandboxes/\(sandbox)/execute", body)
        #expect(stays.json["output"] == .string(expected), "\(stays.text)")
        let process = try await account.send(
            "POST", "/api/sandboxes/\(sandbox)/processes", ["argv": ["sh", "-c", "echo $GREETING; tool"]])
        #expect(process.status == 201, "\(process.text)")
        let change = try await account.send("PUT", "/api/templates/\(id)", ["environment": ["GREETING": "new"]])
        #expect(change.status == 202 && change.json["build"]?["version"] == "2", "\(change.text)")
        #expect(try await account.awaitBuild(id)["status"] == "ready")
        let newer = try await account.run("import os; print(os.environ['GREETING'])", template: id)
        #expect(newer.json["output"] == "new\n", "\(newer.text)")
        let kept = try await account.send("POST", "/api/sandboxes/\(sandbox)/execute", body)
        #expect(kept.json["output"] == .string(expected))
        let told = try await account.send("GET", "/api/sandboxes/\(sandbox)").json
        #expect(told["template"] == .string(id) && told["template_version"] == "1")
        #expect(try await account.send("GET", "/api/templates/\(id)/build?version=1").json["version"] == "1")
        // In use it stays; afterwards it goes, with its images.
        let refused = try await account.send("DELETE", "/api/templates/\(id)")
        #expect(refused.status == 409 && refused.json["error"]?["details"]?["sandboxes"] == 1, "\(refused.text)")
        let context = try await account.send("POST", "/api/sandboxes/\(sandbox)/contexts")
        #expect(context.status == 201, "\(context.text)")
        #expect(try await account.send("DELETE", "/api/sandboxes/\(sandbox)?force=true").status == 200)
        let gone = try await account.send("DELETE", "/api/templates/\(id)")
        #expect(gone.json["status"] == "deleted", "\(gone.text)")
        #expect(try await account.send("GET", "/api/templates/\(id)").status == 404)
        #expect(try await account.run("print(1)", template: id).status == 400)
        let directory = account.stack.home + "/data/sandboxes/.templates"
        let deadline = Date().addingTimeInterval(20)
        var left = [id]
        while !left.isEmpty, Date() < deadline {
            left = ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []).filter {
                $0.hasPrefix(id)
            }
            try await Task.sleep(for: .milliseconds(200))
        }
        #expect(left.isEmpty)
    }

    @Test("what pip installs in a build is no part of the workspace, is found by Python and in the PATH, and is told")
    func pip() async throws {
        let account = try await TemplateAccount()
        let project = """
            from setuptools import setup
            setup(name='soulbox-sample', version='1.2', py_modules=['sample'],
                  entry_points={'console_scripts': ['sample-tool=sample:main']})
            """
        let id = try await account.make([
            (
                "files",
                [
                    ["name": "pkg/setup.py", "content": .string(project)],
                    ["name": "pkg/sample.py", "content": "def main(): print('tool')\n"],
                ]
            ), ("setup", ["pip install --no-index --no-build-isolation ./pkg", "rm -r pkg"]),
        ])
        let build = try await account.awaitBuild(id)
        #expect(build["status"] == "ready", "\(build.text)")
        #expect(build["packages_installed"] == [["name": "soulbox-sample", "version": "1.2"]], "\(build.text)")
        let run = try await account.run(
            "import os, sample, numpy; print(sample.__file__, os.popen('sample-tool').read().strip(), os.listdir('.'))",
            template: id)
        let file = "/opt/template/lib/python3.11/site-packages/sample.py"
        #expect(run.json["output"] == .string("\(file) tool ['main.py']\n"), "\(run.text)")
        #expect(try await account.send("DELETE", "/api/templates/\(id)").status == 200)
    }

    @Test("packages come from the index, with what they need")
    func index() async throws {
        let account = try await TemplateAccount()
        let id = try await account.make([("packages", ["python-dateutil==2.9.0.post0", "tabulate>=0.9,<1"])])
        let build = try await account.awaitBuild(id, seconds: 180)
        #expect(build["status"] == "ready", "\(build.text)")
        let installed = (build["packages_installed"]?.arrayValue ?? []).compactMap { $0["name"]?.stringValue }
        #expect(Set(installed).isSuperset(of: ["python-dateutil", "tabulate"]), "\(build.text)")
        let run = try await account.run(
            "import tabulate, dateutil; print(tabulate.tabulate([[1]], tablefmt='plain'), dateutil.__version__)",
            template: id)
        #expect(run.json["output"] == "1 2.9.0.post0\n", "\(run.text)")
        #expect(
            try await account.send("PUT", "/api/templates/\(id)", ["packages": ["soulbox-no-such-package"]]).status
                == 202)
        let failed = try await account.awaitBuild(id, seconds: 180)
        #expect(failed["status"] == "failed" && failed["error"] == "packages exited with 1", "\(failed.text)")
        #expect(failed["log"]?.stringValue?.contains("soulbox-no-such-package") == true)
        #expect(try await account.send("DELETE", "/api/templates/\(id)").status == 200)
    }

    @Test("a command that fails is told with what it said, and an earlier version goes on")
    func failing() async throws {
        let account = try await TemplateAccount()
        let id = try await account.make([("setup", ["true", "echo out; echo err >&2; exit 3", "echo never"])])
        let build = try await account.awaitBuild(id)
        #expect(build["status"] == "failed" && build["error"] == "setup[1] exited with 3", "\(build.text)")
        let log = build["log"]?.stringValue ?? ""
        #expect(log.contains("out\n") && log.contains("err\n") && !log.contains("never"), "\(log)")
        #expect(try await account.send("GET", "/api/templates/\(id)").json["status"] == "failed")
        let unusable = try await account.run("print(1)", template: id)
        #expect(unusable.status == 400 && unusable.text.contains("It could not be built"), "\(unusable.text)")
        #expect(try await account.send("PUT", "/api/templates/\(id)", ["setup": ["echo x >x"]]).status == 202)
        #expect(try await account.awaitBuild(id)["status"] == "ready")
        #expect(try await account.send("PUT", "/api/templates/\(id)", ["setup": ["kill -9 $$"]]).status == 202)
        let killed = try await account.awaitBuild(id)
        #expect(killed["error"] == "setup[0] was ended by SIGKILL", "\(killed.text)")
        let run = try await account.run("print(open('x').read())", template: id)
        #expect(run.json["output"] == "x\n\n", "\(run.text)")
        #expect(try await account.send("GET", "/api/templates/\(id)").json["status"] == "failed")
        #expect(try await account.send("DELETE", "/api/templates/\(id)").status == 200)
    }

    @Test("another account's template is none; quotas, names and repeated requests")
    func accounts() async throws {
        let account = try await TemplateAccount(quota: 2)
        let other = try await TemplateAccount()
        let key = UUID().uuidString
        let body: JSONValue = ["name": "same", "base": "basic-python"]
        let first = try await account.send("POST", "/api/templates", body, headers: ["Idempotency-Key": key])
        let again = try await account.send("POST", "/api/templates", body, headers: ["Idempotency-Key": key])
        #expect(first.status == 202 && first.json == again.json)
        #expect(first.headers["location"] == again.headers["location"])
        let id = try #require(first.json["template_id"]?.stringValue)
        let taken = try await account.send("POST", "/api/templates", body)
        #expect(taken.status == 409 && taken.json["error"]?["details"]?["field"] == "name", "\(taken.text)")
        _ = try await account.make([])
        let full = try await account.send("POST", "/api/templates", ["name": "third", "base": "basic-python"])
        #expect(full.status == 429 && full.json["error"]?["details"]?["quota"] == "templates", "\(full.text)")
        #expect(try await account.awaitBuild(id)["status"] == "ready")
        for (method, path) in [("GET", ""), ("GET", "/build"), ("PUT", ""), ("DELETE", "")] {
            let answer = try await other.send(
                method, "/api/templates/\(id)\(path)", method == "PUT" ? ["name": "x"] : nil)
            #expect(answer.status == 404, "\(method) \(path): \(answer.text)")
        }
        let stolen = try await other.run("print(1)", template: id)
        #expect(stolen.status == 400 && stolen.text.contains("There is no such template"), "\(stolen.text)")
        let sandbox = try await other.send("POST", "/api/sandboxes", ["template": .string(id)])
        #expect(sandbox.status == 400, "\(sandbox.text)")
        // The name of an image is nobody's template.
        #expect(try await account.run("print(1)", template: id + "-v1").status == 400)
        let list = try await account.send("GET", "/api/templates")
        #expect(list.headers["x-pagination-total"] == "7")
        #expect(list.json["templates"]?.arrayValue?.contains { $0["template_id"] == .string(id) } == true)
        #expect(try await other.send("GET", "/api/templates").headers["x-pagination-total"] == "5")
        // Every template once, whichever way the pages are walked.
        var walked: [String] = []
        var path: String? = "/api/templates?limit=3"
        while let next = path {
            let page = try await account.send("GET", next)
            walked += (page.json["templates"]?.arrayValue ?? []).compactMap { $0["template_id"]?.stringValue }
            path = page.headers["x-pagination-next"]
        }
        #expect(walked.count == 7 && Set(walked).count == 7, "\(walked)")
        var cursor: String?
        var byCursor: [String] = []
        repeat {
            let page = try await account.send("GET", "/api/templates?limit=2" + (cursor.map { "&cursor=\($0)" } ?? ""))
            byCursor += (page.json["templates"]?.arrayValue ?? []).compactMap { $0["template_id"]?.stringValue }
            cursor = page.headers["x-pagination-next"] == nil ? nil : page.headers["x-pagination-cursor"]
        } while cursor != nil && byCursor.count < 20
        #expect(byCursor == walked, "\(byCursor)")
        let system = try await account.send("DELETE", "/api/templates/basic-python")
        #expect(system.status == 409, "\(system.text)")
        #expect(try await account.send("DELETE", "/api/templates/none").status == 404)
    }

    @Test("a build that is not wanted any more ends, and one whose scheduler was killed begins again")
    func faults() async throws {
        let stack = TestStack.harmed
        let account = try await TemplateAccount(on: stack)
        let unwanted = try await account.make([("setup", ["sleep 300"])])
        let running = try await account.send("PUT", "/api/templates/\(unwanted)", ["name": "x"])
        #expect(running.status == 409, "\(running.text)")
        #expect(try await account.send("DELETE", "/api/templates/\(unwanted)").status == 409)
        #expect(try await account.send("DELETE", "/api/templates/\(unwanted)?force=true").status == 200)
        let id = try await account.make([("setup", ["echo begun; sleep 3; echo done >done"])])
        let deadline = Date().addingTimeInterval(30)
        var log = ""
        while !log.contains("begun\n"), Date() < deadline {
            log = try await account.send("GET", "/api/templates/\(id)/build").json["log"]?.stringValue ?? ""
            try await Task.sleep(for: .milliseconds(100))
        }
        stack.kill("scheduler")
        // Another one begins when the lease is over; that is not waited for here.
        _ = try stack.sql("UPDATE template_versions SET leased_until = now() WHERE status = 'building'")
        let build = try await account.awaitBuild(id, seconds: 120)
        #expect(build["status"] == "ready", "\(build.text)")
        let run = try await account.run("print(open('done').read())", template: id)
        #expect(run.json["output"] == "done\n\n", "\(run.text)")
        // Nothing of either build is left.
        let directory = stack.home + "/data/sandboxes"
        let names = try FileManager.default.contentsOfDirectory(atPath: directory)
        #expect(names.filter { $0.hasPrefix("build_") }.isEmpty, "\(names)")
        #expect(try await Sandboxes.inUse(of: stack.instance) == 0)
    }
}
