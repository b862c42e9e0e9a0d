import Foundation
import IsolationProtocol
import LinuxKernel
import SoulBoxModel
import Testing

/// Rows 49 to 56 of the attack table: ends, orphans and races.
@Suite("Life of a one-shot sandbox", .enabled(if: Host.canIsolate), .serialized)
struct LifeTests {
    private func request(_ code: String, timeout: Int = 10_000 * Host.patience) -> Run.Request {
        var request = Run.Request("import os,sys,time,signal\n" + code)
        request.limits = ExecutionLimits(timeoutMilliseconds: timeout)
        return request
    }

    @Test(
        "34, 49: a timeout kills everything, within 100 ms of the deadline",
        arguments: [
            "time.sleep(100)", "os.kill(os.getpid(), signal.SIGSTOP)",
            "if os.fork()==0: os.setsid(); os.fork(); time.sleep(100)\ntime.sleep(100)",
            "signal.pthread_sigmask(signal.SIG_BLOCK, range(1,64))\nwhile True: pass",
            "p=os.fork()\nif p==0: os.kill(os.getpid(), signal.SIGSTOP)\nos.waitpid(p,0)",
        ])
    func timeout(code: String) throws {
        let run = try Run.run(request(code, timeout: 1000))
        #expect(run.reason == .timeout)
        let wall = try #require(run.outcome?.wallTimeMicroseconds)
        #expect(wall >= 1_000_000 && wall < 1_000_000 + 100_000 * Host.patience, "\(wall) µs")
        #expect(TestIsolator.shared.waitUntilClean())
    }

    @Test("38: a background child that holds the output does not delay the answer")
    func orphanHoldsOutput() throws {
        let run = try Run.run(
            request("if os.fork()==0:\n  os.setsid()\n  if os.fork()==0: time.sleep(60)\n  os._exit(0)\nprint('hi')"))
        #expect(run.output == "hi\n" && run.reason == .exited)
        #expect(run.milliseconds < 3000 * Double(Host.patience))
    }

    @Test("51: PID 1 reaps what is left to it")
    func zombies() throws {
        let run = try Run.run(
            request(
                """
                for _ in range(\(Host.repetitions(1500))):
                    p=os.fork()
                    if p==0:
                        if os.fork()==0: os._exit(0)
                        os._exit(0)
                    os.waitpid(p,0)
                time.sleep(0.3)
                states=[open('/proc/%s/stat'%d).read().split()[2] for d in os.listdir('/proc') if d.isdigit()]
                assert 'Z' not in states, states
                print('held')
                """, timeout: 30_000 * Host.patience))
        #expect(run.output == "held\n", "\(run.errors)")
    }

    @Test("52: a program that kills everything it can ends itself alone")
    func killAll() throws {
        let run = try Run.run(
            request(
                "p=os.fork()\nif p==0: time.sleep(60)\nos.kill(-1, signal.SIGKILL)\n"
                    + "print(os.waitstatus_to_exitcode(os.waitpid(p,0)[1]))"))
        // kill(2) spares the caller and PID 1.
        #expect(run.output == "-9\n", "\(run.errors)")
        #expect(try Run.python("print(1)").output == "1\n")
    }

    @Test("a segmentation fault is told by its name")
    func signalName() throws {
        let run = try Run.run(request("os.kill(os.getpid(), signal.SIGSEGV)"))
        #expect(run.reason == .signal && run.outcome?.termination.signal == "SIGSEGV" && run.outcome?.exitCode == nil)
    }

    @Test("21: another architecture's system calls end the process")
    func foreignArchitecture() throws {
        let x32 = try Run.python(Attack.prelude + "S(0x40000027)")
        #expect(x32.outcome?.termination.signal == "SIGSYS")
        var request = Run.Request(
            "fn main() { let mut r: i64 = 20; unsafe { std::arch::asm!(\"int 0x80\", inout(\"rax\") r) }; println!(\"{}\", r); }"
        )
        request.template = "basic-rust"
        request.file = "main.rs"
        let int80 = try Run.run(request)
        #expect(int80.outcome?.termination.signal == "SIGSYS", "\(int80.output)")
    }

    @Test("an execution can be ended by its account, and by no other")
    func terminate() throws {
        let identifier = Identifier.make(.execution)
        var request = request("time.sleep(600)", timeout: 600_000)
        request.identifier = identifier
        let run = try Run.run(request) { _ in
            WorkerThread.start(name: "ender") {
                usleep(700_000)
                let other = try? IsolationConnection(path: TestIsolator.shared.socket)
                #expect(
                    (try? other?.terminate(execution: identifier, account: "acct_other", reason: .cancelled)) == false)
                #expect(
                    (try? other?.terminate(execution: identifier, account: "acct_test", reason: .cancelled)) == true)
            }
        }
        #expect(run.reason == .cancelled && run.milliseconds < 10_000 * Double(Host.patience))
    }

    @Test(
        "6, 60, 98: malformed calls are refused",
        arguments: ["../x", "/etc/passwd", "a//b", "a/../b", "", "a\0b", "./a"])
    func paths(path: String) throws {
        var request = Run.Request("print(1)")
        request.files = [path: [1]]
        #expect(try Run.run(request).error?.code == .invalidSpec)
    }

    @Test("98: arguments and environment arrive byte for byte")
    func arguments() throws {
        var request = Run.Request("import sys,os\nprint(sys.argv[1:]); print(repr(os.environ['ODD']))")
        request.arguments = ["$(id)", "a\nid", "-c", "", "`x`", "'\"", "; rm -rf /", "ü"]
        request.environment = ["ODD": "$(id)\n`x`=;'\""]
        let run = try Run.run(request)
        #expect(
            run.output.hasPrefix(#"['$(id)', 'a\nid', '-c', '', '`x`', '\'"', '; rm -rf /', 'ü']"#), "\(run.output)")
        #expect(run.output.contains(#"'$(id)\n`x`=;\'"'"#))
    }

    @Test("27: code is data")
    func codeIsData() throws {
        let text = "a = '''x`$(id)\"\"\"'''\nprint(len(a), repr(a))\n# \u{2028} ünï"
        #expect(try Run.python(text).output == "10 'x`$(id)\"\"\"'\n")
        let long = "x = '" + String(repeating: "y", count: 500_000) + "'\nprint(len(x))"
        #expect(try Run.python(long).output == "500000\n")
    }

    @Test("files made and changed come back, inputs that stay as they were do not")
    func artifacts() throws {
        var request = Run.Request(
            "import os\nopen('new','w').write('n'); os.makedirs('d/e'); open('d/e/f','wb').write(bytes(range(256)))\n"
                + "open('changed','a').write('!'); os.remove('gone'); open('big','wb').truncate(11<<20)")
        request.files = ["same": [1, 2], "changed": [65], "gone": [1]]
        let run = try Run.run(request)
        #expect(Set(run.artifactSizes.keys) == ["new", "d/e/f", "changed", "big"], "\(run.errors)")
        #expect(run.artifacts["d/e/f"] == [UInt8](0...255))
        #expect(run.artifacts["changed"] == [65, 33])
        #expect(run.artifacts["big"] == nil && run.artifactSizes["big"] == 11 << 20)
    }

    @Test("17, 31, 70, 75: nothing of one sandbox is seen by the next")
    func residue() throws {
        _ = try Run.python(
            "for d in ('/workspace','/tmp','/dev/shm'): open(d+'/marker-7f3a','w').write('secret')\n"
                + "import socket; s=socket.socket(socket.AF_UNIX); s.bind('\\0marker-7f3a')")
        let run = try Run.python(
            "import os\nfound=[d+'/'+f for d in ('/workspace','/tmp','/dev/shm','/run') for f in os.listdir(d) if 'marker' in f]\n"
                + "print(found, 'marker' in open('/proc/net/unix').read())")
        #expect(run.output == "[] False\n")
    }
}
