import Foundation
import IsolationProtocol
import LinuxKernel
import SoulBoxModel
import TestProcess
import Testing

@Suite("Layers of templates", .serialized, .enabled(if: Host.canIsolate))
struct TemplateLayerTests {
    private static let look = """
        import os
        print(open('/workspace/data/a.txt').read(), open('/opt/template/lib.txt').read(), os.environ['GREETING'],
              os.stat('/workspace/data').st_uid, [n for n in os.listdir('/tmp') if n != '.soulbox'], sorted(os.listdir('/workspace')))
        """

    private func makeTemplate(on isolator: TestIsolator) throws -> TestTemplate {
        try TestTemplate(
            """
            import os
            os.mkdir('/workspace/data')
            open('/workspace/data/a.txt', 'w').write('from the template')
            open('/opt/template/lib.txt', 'w').write('packages')
            open('/tmp/junk', 'w').write('junk')
            os.mkdir('/var/tmp/junk')
            os.symlink('/etc/shadow', '/workspace/link')
            """, on: isolator, environment: [.init(name: "GREETING", value: "{memory_bytes} {build}")])
    }

    @Test("files, variables and packages are there, for one execution and for a sandbox that stays")
    func contents() throws {
        let isolator = try TestIsolator()
        defer { isolator.stop() }
        let template = try makeTemplate(on: isolator)
        #expect(template.size > 0 && template.size < 8 << 20)
        let expected =
            "from the template packages {memory_bytes} {build} 1000 [] ['data', 'link', 'main.py']\n"
        let once = try template.python(TemplateLayerTests.look)
        #expect(once.output == expected, "\(once)")
        // What a program makes is told; what came with the template is not.
        #expect(once.artifacts.isEmpty)
        let sandbox = try TestSandbox(on: isolator, template: template.image.text)
        let stays = try sandbox.python(TemplateLayerTests.look)
        #expect(stays.output == expected, "\(stays)")
        // Of its own are the changes, in both directions.
        let changed = try sandbox.python(
            "import os\nopen('data/a.txt','a').write('!'); os.remove('/opt/template/lib.txt'); open('data/b','w').close()"
        )
        #expect(changed.outcome?.exitCode == 0, "\(changed)")
        #expect(try template.python(TemplateLayerTests.look).output == expected)
        #expect(try sandbox.python("print(open('data/a.txt').read())").output == "from the template!\n")
        try sandbox.remove()
    }

    @Test("the layer is read-only, one device for all its sandboxes, and closed with the image")
    func device() throws {
        let isolator = try TestIsolator()
        defer { isolator.stop() }
        let template = try makeTemplate(on: isolator)
        let status = try Files.status(template.layer)
        #expect(status.mode & 0o777 == 0o400 && status.user == 0)
        let before = try Data(contentsOf: URL(filePath: template.layer))
        let first = try TestSandbox(on: isolator, template: template.image.text)
        let second = try TestSandbox(on: isolator, template: template.image.text)
        for sandbox in [first, second] {
            #expect(try sandbox.python("open('data/a.txt','w').write('x'); print(1)").output == "1\n")
        }
        let devices = LoopDevice.devices(of: template.layer)
        #expect(devices.count == 1)
        let readOnly = try Files.readString("/sys/block/loop\(try #require(devices.first))/ro")
        #expect(readOnly == "1\n")
        #expect(throws: IsolationError(.conflict, "sandboxes are made from it")) { try template.remove() }
        try first.remove()
        _ = try second.connect().stopSandbox(second.id, account: second.account)
        #expect(throws: IsolationError(.conflict, "sandboxes are made from it")) { try template.remove() }
        _ = try second.connect().startSandbox(second.id, account: second.account)
        #expect(try second.python("print(open('data/a.txt').read())").output == "x\n")
        try second.remove()
        #expect(try Data(contentsOf: URL(filePath: template.layer)) == before)
        try template.remove()
        #expect(!FileManager.default.fileExists(atPath: template.layer))
        #expect(LoopDevice.devices(of: template.layer).isEmpty)
        #expect(try template.python("print(1)").error?.code == .templateNotFound)
        // Removing what is gone is no error.
        try template.remove()
    }

    @Test("what the build deleted of the base is gone in sandboxes, and a directory made anew is empty")
    func whiteouts() throws {
        let images = try TestImages()
        defer { images.remove() }
        let isolator = try TestIsolator(images: images.directory)
        defer { isolator.stop() }
        let show = """
            import os
            print(sorted(os.listdir('/srv/data')), os.listdir('/srv/data/dir'), os.path.exists('/srv/data/gone'))
            """
        var plain = Run.Request(show)
        plain.template = images.template
        let before = try Run.run(plain, on: isolator)
        #expect(before.output == "['dir', 'gone', 'kept'] ['inner'] True\n", "\(before)")
        let template = try TestTemplate(
            """
            import os, shutil
            os.remove('/srv/data/gone')
            shutil.rmtree('/srv/data/dir')
            os.mkdir('/srv/data/dir')
            """, on: isolator, base: images.template)
        let expected = "['dir', 'kept'] [] False\n"
        #expect(try template.python(show).output == expected)
        let sandbox = try TestSandbox(on: isolator, template: template.image.text)
        #expect(try sandbox.python(show).output == expected)
        #expect(try sandbox.python("open('/srv/data/gone','w').write('new'); print(1)").output == "1\n")
        #expect(try sandbox.python("print(open('/srv/data/gone').read())").output == "new\n")
        try sandbox.remove()
        #expect(try Run.run(plain, on: isolator).output == before.output)
    }

    @Test("67: another account's template is none, for every call; nothing but a sealed disk is one")
    func accounts() throws {
        let isolator = try TestIsolator()
        defer { isolator.stop() }
        let template = try makeTemplate(on: isolator)
        let connection = try IsolationConnection(path: isolator.socket)
        let name = template.image.text
        #expect(try connection.image(name, account: "acct_test").id == name)
        #expect(throws: IsolationError(.templateNotFound, name)) {
            try connection.image(name, account: "acct_other")
        }
        #expect(try template.python("print(1)", account: "acct_other").error?.code == .templateNotFound)
        #expect(throws: IsolationError(.templateNotFound, name)) {
            try connection.createSandbox(
                Identifier.make(.sandbox), account: "acct_other", template: name, limits: TestSandbox.limits)
        }
        try connection.removeTemplate(template.image, account: "acct_other")
        #expect(try template.python("print(1)").output == "1\n")
        #expect(try connection.images().allSatisfy { TemplateImageName($0.id) == nil })
        // A name that exists, a sandbox of somebody else's, a template of a template.
        let sandbox = try TestSandbox(on: isolator)
        let new = TemplateImageName(template: Identifier.make(.template), version: 1)
        #expect(throws: IsolationError(.sandboxNotFound, sandbox.id)) {
            try connection.sealTemplate(new, from: sandbox.id, account: "acct_other", environment: [])
        }
        #expect(throws: IsolationError(.conflict, "there is such an image")) {
            try connection.sealTemplate(template.image, from: sandbox.id, account: "acct_test", environment: [])
        }
        let above = try TestSandbox(on: isolator, template: name)
        #expect(throws: IsolationError(.conflict, "a template is made above a system template only")) {
            try connection.sealTemplate(new, from: above.id, account: "acct_test", environment: [])
        }
        // A file that somebody else put there is no image.
        let forged = TemplateImageName(template: Identifier.make(.template), version: 1)
        let directory = isolator.sandboxDirectory + "/.templates/\(forged.text)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
        try Data(count: 1 << 20).write(to: URL(filePath: directory + "/layer.ext4"))
        #expect(throws: IsolationError(.templateNotFound, forged.text)) {
            try connection.image(forged.text, account: "acct_test")
        }
    }

    @Test("2: kill -9 of the isolator at any moment of sealing: a whole image or none, and nothing half-made")
    func killedAtWork() throws {
        var isolator = try TestIsolator()
        let instance = isolator.instance
        var sealed = 0
        let rounds = Host.repetitions(16)
        for round in 0..<rounds {
            let image = TemplateImageName(template: Identifier.make(.template), version: 1)
            let sandbox = try TestSandbox(on: isolator)
            #expect(try sandbox.python("open('mark','w').write('\(round)'); print(1)").output == "1\n")
            let done = Monitor(false)
            WorkerThread.start(name: "sealer") {
                _ = try? sandbox.connect().sealTemplate(
                    image, from: sandbox.id, account: sandbox.account, environment: [])
                done.update { $0 = true }
            }
            usleep(UInt32(round * 5000))
            isolator.process.signal(SIGKILL)
            isolator.process.waitForExit()
            #expect(done.wait(until: MonotonicClock.now + 20_000_000_000) { $0 ? true : nil } == true)
            isolator = try TestIsolator(instance: instance)
            let names =
                (try? FileManager.default.contentsOfDirectory(atPath: isolator.sandboxDirectory + "/.templates"))
            #expect((names ?? []).allSatisfy { TemplateImageName($0) != nil }, "\(names ?? [])")
            let connection = try IsolationConnection(path: isolator.socket)
            if (try? connection.image(image.text, account: sandbox.account)) != nil {
                sealed += 1
                var request = Run.Request("print(open('mark').read())")
                request.template = image.text
                let run = try Run.run(request, on: isolator)
                #expect(run.output == "\(round)\n", "\(run)")
                // The sandbox of the execution goes behind its answer.
                let deadline = MonotonicClock.now + 10_000_000_000
                while (try? IsolationConnection(path: isolator.socket).removeTemplate(image, account: sandbox.account))
                    == nil,
                    MonotonicClock.now < deadline
                { usleep(20_000) }
                #expect((try? connection.image(image.text, account: sandbox.account)) == nil)
            }
            try connection.removeSandbox(sandbox.id, account: sandbox.account)
        }
        defer { isolator.stop() }
        #expect(isolator.waitUntilClean())
        let loops = try FileManager.default.contentsOfDirectory(atPath: "/sys/block").filter {
            $0.hasPrefix("loop") && LoopDevice.file(behind: Int32($0.dropFirst(4)) ?? -1)?.contains(instance) == true
        }
        #expect(loops.isEmpty, "\(loops)")
        print("sealed before the kill: \(sealed) of \(rounds)")
    }

    @Test("sandboxes of a template outlive the isolator, and new ones share their device")
    func adoption() throws {
        let first = try TestIsolator()
        let template = try makeTemplate(on: first)
        let sandbox = try TestSandbox(on: first, template: template.image.text)
        first.process.signal(SIGKILL)
        first.process.waitForExit()
        let second = try TestIsolator(instance: first.instance)
        defer { second.stop() }
        let after = TestSandbox(adopted: sandbox.id, on: second)
        #expect(try after.state.phase == .running)
        #expect(try after.python("print(open('data/a.txt').read())").output == "from the template\n")
        let other = try TestSandbox(on: second, template: template.image.text)
        #expect(try other.python("print(open('data/a.txt').read())").output == "from the template\n")
        #expect(LoopDevice.devices(of: template.layer).count == 1)
        try other.remove()
        let connection = try IsolationConnection(path: second.socket)
        #expect(throws: IsolationError.self) {
            try connection.removeTemplate(template.image, account: template.account)
        }
        try after.remove()
        try connection.removeTemplate(template.image, account: template.account)
        #expect(LoopDevice.devices(of: template.layer).isEmpty)
    }

    @Test("a hostile tree does not lead the sealing out of the disk")
    func hostileTree() throws {
        let isolator = try TestIsolator()
        defer { isolator.stop() }
        let victim = "/var/tmp/soulbox-victim-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: victim, withIntermediateDirectories: true)
        try Data("kept".utf8).write(to: URL(filePath: victim + "/file"))
        defer { try? FileManager.default.removeItem(atPath: victim) }
        let template = try TestTemplate(
            """
            import os
            os.symlink('\(victim)', '/tmp/link')
            os.symlink('/../../../../../../..\(victim)', '/var/tmp/link')
            os.chdir('/tmp')
            for _ in range(3000):
                os.mkdir('d'); os.chdir('d')
            """, on: isolator)
        #expect(try String(contentsOfFile: victim + "/file", encoding: .utf8) == "kept")
        #expect(try template.python("import os; print(os.listdir('/tmp'), os.listdir('/var/tmp'))").output == "[] []\n")
    }
}
