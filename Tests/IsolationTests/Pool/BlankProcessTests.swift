import Foundation
import IsolationProtocol
import LinuxKernel
import SoulBoxModel
import Testing

/// Programs that run as processes that stood ready before anybody knew what they were to execute.
@Suite("Blank processes", .serialized, .enabled(if: Host.canIsolate))
struct BlankProcessTests {
    /// A request that no interpreter can wait for, because of how Python is to start: what stands ready for it is a process.
    private func request(_ code: String, _ limits: ExecutionLimits = ExecutionLimits()) -> Run.Request {
        var request = Run.Request(code)
        request.environment = ["PYTHONHASHSEED": "0"]
        request.limits = limits
        return request
    }

    private func ready(_ request: Run.Request) throws -> Run {
        try TestIsolator.pooled.ready { try Run.run(request, on: .pooled) }
    }

    @Test("a program finds everything as in a process that was started for it", arguments: [0, 20])
    func alike(processes: Int) throws {
        var limits = ExecutionLimits(memoryBytes: 96 << 20)
        if processes > 0 { limits.processes = processes }
        var request = request(
            """
            import os, resource, sys
            names = [name for name in dir(resource) if name.startswith('RLIMIT_')]
            print([(name, resource.getrlimit(getattr(resource, name))) for name in names])
            wanted = ('Uid', 'Gid', 'Groups', 'Cap', 'NoNew', 'Seccomp', 'Sig', 'Shd', 'Umask', 'Threads', 'NSpid')
            print([line for line in open('/proc/self/status') if line.startswith(wanted)])
            print(sorted(os.listdir('/proc/self/fd')), [os.fstat(n).st_mode for n in range(3)], os.isatty(0))
            print(os.getpid(), os.getppid(), os.getsid(0), os.getpgid(0), sys.argv, sorted(os.environ.items()))
            print(sorted(name for name in os.listdir('/proc') if name.isdigit()), open('/proc/self/cgroup').read())
            print(os.getcwd(), sys.stdin.read(), os.nice(0), open('/proc/self/oom_score_adj').read())
            """, limits)
        request.arguments = ["a\nb", "", "ü"]
        request.stdin = "typed"
        let plain = try Run.run(request, on: .plain)
        let stood = try ready(request)
        #expect(plain.outcome?.exitCode == 0 && plain.output == stood.output, "\(plain)\n---\n\(stood)")
        #expect(plain.errors == stood.errors)
    }

    @Test("the call's limits hold")
    func limits() throws {
        let memory = request("print(len(bytearray(200 << 20)))", ExecutionLimits(memoryBytes: 64 << 20))
        #expect(try ready(memory).reason == .oom)
        let more = request("print(len(bytearray(200 << 20)))", ExecutionLimits(memoryBytes: 512 << 20))
        #expect(try ready(more).output == "\(200 << 20)\n")
        let forks = request(
            """
            import os, time
            count = 0
            try:
                while count < 100:
                    if os.fork() == 0:
                        time.sleep(10)
                    count += 1
            except OSError as error:
                print(count, error.errno)
            """, ExecutionLimits(processes: 6))
        #expect(try ready(forks).output == "5 11\n")
        let time = request("while True: pass", ExecutionLimits(timeoutMilliseconds: 600))
        let wall = try #require(try ready(time).outcome?.wallTimeMicroseconds)
        #expect(wall >= 600_000 && wall < 700_000, "\(wall) µs")
    }

    @Test("compilers and what they make run as such processes, and see nobody else; what was compiled before, too")
    func compiled() throws {
        var request = Run.Request(
            """
            fn main() {
                let mut names: Vec<_> = std::fs::read_dir("/proc").unwrap().map(|e| e.unwrap().file_name().into_string().unwrap())
                    .filter(|n| n.parse::<u32>().is_ok()).collect();
                names.sort();
                println!("{} {}", names.len(), \(UInt16.random(in: 0 ... .max)));
            }
            """)
        request.template = "basic-rust"
        request.file = "main.rs"
        let first = try ready(request)
        #expect(first.output.hasPrefix("1 ") && first.outcome?.compile?.wallTimeMicroseconds != 0, "\(first)")
        let again = try ready(request)
        #expect(again.output == first.output && again.outcome?.compile?.wallTimeMicroseconds == 0, "\(again)")
    }

    @Test("one that was killed meanwhile is replaced by a process of the program's own")
    func killed() throws {
        let request = request("print('ran')")
        let isolator = TestIsolator.pooled
        _ = try ready(request)
        #expect(isolator.waitUntilReady())
        var killed = 0
        let groups = "/sys/fs/cgroup/unified/soulbox-\(isolator.instance)/sbx"
        let root =
            FileManager.default.fileExists(atPath: groups) ? groups : "/sys/fs/cgroup/soulbox-\(isolator.instance)/sbx"
        for name in try FileManager.default.contentsOfDirectory(atPath: root) {
            let path = "\(root)/\(name)/x-01/cgroup.procs"
            for pid in ((try? String(contentsOfFile: path, encoding: .utf8)) ?? "").split(separator: "\n") {
                guard let comm = try? String(contentsOfFile: "/proc/\(pid)/comm", encoding: .utf8), comm == "init\n",
                    let number = Int32(pid)
                else { continue }
                killed += 1
                kill(number, SIGKILL)
                // It takes a moment to end.
                while kill(number, 0) == 0 { usleep(1000) }
            }
        }
        #expect(killed > 0)
        let run = try Run.run(request, on: isolator)
        #expect(run.output == "ran\n" && run.outcome?.exitCode == 0, "\(run)")
    }

    @Test(
        "what stops every process of its user holds nobody up but itself: executions end in time, and the sandbox goes")
    func stopped() throws {
        let isolator = try TestIsolator(ready: 2)
        defer { isolator.stop() }
        let sandbox = try TestSandbox(on: isolator)
        // A grandchild whose background process has ended, so that nothing seems to run.
        _ = try sandbox.connect().startProcess(
            arguments: [
                "/usr/bin/python3", "-c",
                """
                import os, signal
                if os.fork() == 0:
                    os.setsid()
                    while True:
                        try: os.kill(-1, signal.SIGSTOP)
                        except OSError: pass
                """,
            ], environment: [], directory: "/workspace", in: sandbox.id, account: sandbox.account)
        for _ in 0..<3 {
            let begin = MonotonicClock.now
            let run = try? sandbox.python("print(1)", milliseconds: 500)
            let seconds = Double(MonotonicClock.elapsed(from: begin, to: MonotonicClock.now)) / 1e9
            #expect(seconds < 15, "\(seconds) s: \(String(describing: run))")
        }
        // Another's next execution is waited for as ever.
        let other = try TestSandbox(on: isolator)
        #expect(try other.python("print(2)").output == "2\n")
        let begin = MonotonicClock.now
        try sandbox.remove()
        #expect(MonotonicClock.elapsed(from: begin, to: MonotonicClock.now) < 5_000_000_000)
        try other.remove()
        #expect(isolator.waitUntilClean())
    }
}
