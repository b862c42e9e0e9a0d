import Foundation
import LinuxKernel
import SoulBoxModel
import Testing

/// Rows 28 to 48 of the attack table: abuse of resources.
@Suite("Attacks: resources", .enabled(if: Host.canIsolate), .serialized)
struct ResourceTests {
    private func request(
        _ code: String, timeout: Int = 10_000 * Host.patience, memory: Int64 = 128 << 20, processes: Int = 128
    ) -> Run.Request {
        var request = Run.Request(Attack.prelude + code)
        request.limits = ExecutionLimits(timeoutMilliseconds: timeout, memoryBytes: memory, processes: processes)
        return request
    }

    @Test("28: a fork bomb ends at the process limit, and the next execution works")
    func forkBomb() throws {
        let bomb = try Run.run(request("while True:\n  os.fork()", timeout: 3000))
        #expect(bomb.reason == .processLimit || bomb.reason == .timeout || bomb.reason == .oom)
        let refused = try Run.run(
            request("try:\n  while True:\n    if os.fork()==0: time.sleep(30)\nexcept BlockingIOError: os._exit(3)"))
        #expect(refused.reason == .processLimit)
        #expect(try Run.python("print(1)").output == "1\n")
    }

    @Test("28: threads count as processes do")
    func threadBomb() throws {
        let run = try Run.run(
            request(
                """
                n=0
                try:
                  while True: threading.Thread(target=time.sleep,args=(30,),daemon=True).start(); n+=1
                except RuntimeError: print(n); sys.stdout.flush(); os._exit(1)
                """, processes: 40))
        #expect(run.reason == .processLimit)
        #expect(Int(run.output.trimmingCharacters(in: .newlines)).map { $0 < 40 } == true)
    }

    @Test("29: a memory bomb ends as oom, whole, and its neighbour does not notice")
    func memoryBomb() async throws {
        async let neighbour = Task.detached { try Run.python("import time; time.sleep(1); print('fine')") }.value
        let bomb = try Run.run(
            request("if os.fork()==0: time.sleep(60)\nb=[]\nwhile True: b.append(b'x'*1048576)", memory: 64 << 20))
        #expect(bomb.reason == .oom)
        #expect(bomb.milliseconds < 8000 * Double(Host.patience))
        #expect(try await neighbour.output == "fine\n")
        let peak = try #require(bomb.outcome?.memoryPeakBytes)
        #expect(peak > 32 << 20 && peak <= 66 << 20)
    }

    @Test("29: memory of a child counts, and so does its death")
    func memoryOfChild() throws {
        let run = try Run.run(
            request(
                "subprocess.run([sys.executable,'-c','b=[]\\nwhile True: b.append(bytes(1048576)+b\"x\")'])\ntime.sleep(20)",
                memory: 64 << 20))
        #expect(run.reason == .oom && run.milliseconds < 8000 * Double(Host.patience))
    }

    @Test("31, 39: files in /dev/shm, /tmp and /workspace count and end at a limit")
    func fillDisks() throws {
        let run = try Run.run(
            request(
                """
                def fill(path):
                    n=0
                    try:
                        with open(path,'wb',buffering=0) as f:
                            while True: n+=f.write(b'x'*65536)
                    except OSError as e: assert e.errno in (errno.ENOSPC,errno.EFBIG), e
                    size=n; os.remove(path); return size
                w=fill('/workspace/f'); t=fill('/tmp/f'); s=fill('/dev/shm/f')
                assert 60<<20 <= w <= 65<<20, w
                assert 60<<20 <= t <= 65<<20, t
                assert s <= 65<<20, s
                open('/workspace/a','wb').write(b'x'*(40<<20))
                try: open('/tmp/b','wb').write(b'x'*(40<<20)); raise SystemExit('two disks')
                except OSError as e: assert e.errno==errno.ENOSPC
                print('held')
                """))
        #expect(run.output == "held\n", "\(run.errors)")
    }

    @Test("39: a program that fills its disk and fails ends as disk_limit")
    func diskLimit() throws {
        let run = try Run.run(request("f=open('x','wb')\nwhile True: f.write(b'x'*1000000)"))
        #expect(run.reason == .diskLimit && run.outcome?.exitCode == 1)
    }

    @Test("40: inodes end at a limit")
    func inodes() throws {
        let run = try Run.run(
            request(
                """
                n=0
                try:
                    while n<100000: open('/workspace/%d'%n,'w').close(); n+=1
                except OSError as e: assert e.errno==errno.ENOSPC
                assert 10000 < n <= 16384, n
                print('held'); sys.stdout.flush()
                for i in range(n): os.remove('/workspace/%d'%i)
                """, timeout: 20_000))
        #expect(run.output == "held\n", "\(run.errors)")
    }

    @Test("32, 44, 45, 46, 47, 48: descriptors, timers, cores, priorities, locked memory")
    func limits() throws {
        let run = try Run.run(
            request(
                """
                fds=[]
                try:
                    while True: fds.append(os.open('/dev/null',os.O_RDONLY))
                except OSError as e: assert e.errno==errno.EMFILE, e
                assert len(fds)<=1024; [os.close(f) for f in fds]
                R=resource
                assert R.getrlimit(R.RLIMIT_NOFILE)==(1024,4096)
                assert R.getrlimit(R.RLIMIT_CORE)[1]<=1 and R.getrlimit(R.RLIMIT_RTPRIO)==(0,0) and R.getrlimit(R.RLIMIT_NICE)==(0,0)
                assert R.getrlimit(R.RLIMIT_MEMLOCK)==(65536,65536) and R.getrlimit(R.RLIMIT_SIGPENDING)==(256,256)
                refused(R.setrlimit,R.RLIMIT_NOFILE,(1<<20,1<<20))
                t=c.c_int(); n=0; last=0
                while n<2000:
                    r,last=S(222,0,0,c.byref(t))
                    if r<0: break
                    n+=1
                assert last==errno.EAGAIN and n<=256, (n,last)
                assert L.mlockall(3)!=0
                print('held')
                """))
        #expect(run.output == "held\n", "\(run.errors)")
    }

    @Test("33: processor time ends at the quota")
    func processor() throws {
        var hungry = request(
            "import multiprocessing\nfor _ in range(4):\n  if os.fork()==0:\n    while True: pass\ntime.sleep(30)",
            timeout: 2000)
        hungry.limits.cpuMillicores = 500
        let run = try Run.run(hungry)
        #expect(run.reason == .timeout)
        let seconds = Double(try #require(run.outcome?.cpuTimeMicroseconds)) / 1_000_000
        #expect(seconds < 1.3 && seconds > 0.4)
    }

    @Test("36, 37: floods and hostile bytes arrive whole and bounded")
    func flood() throws {
        var request = request("os.write(1,bytes(range(256))*4096)\nos.write(2,b'\\x00\\xff\\xfe'*1000)")
        let bytes = try Run.run(request)
        #expect(bytes.stdout == (0..<4096).flatMap { _ in [UInt8](0...255) })
        #expect(bytes.stderr == (0..<1000).flatMap { _ in [0x00, 0xFF, 0xFE] as [UInt8] })
        request = self.request("print('x'*5_000_000)")
        #expect(try Run.run(request).stdout.count == 5_000_001)
    }

    @Test("41: sparse giants are refused")
    func sparse() throws {
        let run = try Run.run(
            request(
                "signal.signal(signal.SIGXFSZ,signal.SIG_IGN)\nf=open('g','wb')\nrefused(f.truncate,1<<50)\nprint('held')"
            ))
        #expect(run.output == "held\n", "\(run.errors)")
    }

    @Test("42: a deep tree and odd names do no harm")
    func deepTree() throws {
        let run = try Run.run(
            request(
                """
                for i in range(3000): os.mkdir('d'); os.chdir('d')
                open('x','w').write('deep')
                os.chdir('/workspace'); open('n'*255,'w').close(); open(b'\\xff\\xfe','w').close(); os.mkfifo('p'); os.symlink('/etc/passwd','l')
                print('held')
                """))
        #expect(run.output == "held\n" && run.reason == .exited, "\(run.errors)")
        #expect(run.artifacts["l"] == nil && run.artifacts["p"] == nil)
        #expect(TestIsolator.shared.waitUntilClean(seconds: 10))
    }

    @Test("43: sync does nothing, at once")
    func sync() throws {
        let run = try Run.run(
            request("t=time.time()\nfor _ in range(1000): os.sync()\nassert time.time()-t<1\nprint('held')"))
        #expect(run.output == "held\n")
    }
}
