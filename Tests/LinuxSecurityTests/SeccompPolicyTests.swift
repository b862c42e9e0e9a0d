import Foundation
import LinuxSecurity
import Testing

/// The filters on the real kernel, in a process that has nothing else to hold it.
@Suite("Seccomp policy")
struct SeccompPolicyTests {
    /// Installs both filters in a Python process and runs code there.
    private func run(_ code: String) throws -> (output: String, status: Int32) {
        let directory = FileManager.default.temporaryDirectory.appending(path: "soulbox-seccomp-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        try Data(SeccompPolicy.numbers().bytes).write(to: directory.appending(path: "a"))
        try Data(SeccompPolicy.arguments().bytes).write(to: directory.appending(path: "b"))
        let program = """
            import ctypes as c, sys
            L=c.CDLL(None,use_errno=True)
            class F(c.Structure): _fields_=[('n',c.c_ushort),('p',c.c_void_p)]
            def S(*a):
                c.set_errno(0); r=L.syscall(*[c.c_long(x) for x in a]); return r,c.get_errno()
            bs=[open(sys.argv[1]+'/'+n,'rb').read() for n in 'ab']
            assert L.prctl(38,1,0,0,0)==0
            for b in bs:
                m=c.create_string_buffer(b,len(b)); f=F(len(b)//8,c.addressof(m)); assert L.prctl(22,2,c.byref(f),0,0)==0
            \(code)
            print('held')
            """
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", "-c", program, directory.path]
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (output, process.terminationStatus)
    }

    @Test("a filter fits the kernel's limit of 4096 instructions")
    func size() throws {
        #expect(try SeccompPolicy.numbers().instructionCount < 4096)
        #expect(try SeccompPolicy.arguments().instructionCount < 4096)
    }

    @Test(
        "denied calls are denied even for root",
        arguments: [
            "assert S(272,0x10000000)==(-1,1)", "assert S(435,0,0)==(-1,38)", "assert S(165,0,0,0,0,0)==(-1,1)",
            "assert S(425,1,0)==(-1,38)", "assert S(250,0,-3,1)==(-1,1)", "assert S(101,0,0,0,0)==(-1,1)",
            "assert S(321,0,0,0)==(-1,1)", "assert S(304,-100,0,0)==(-1,1)", "assert S(135,0x0400000)==(-1,38)",
            "assert S(9999)==(-1,38)", "assert S(41,40,1,0)==(-1,1)", "assert S(41,38,5,0)==(-1,1)",
            "assert S(16,0,0x5412,0)==(-1,1) and S(16,0,(1<<32)+0x5412,0)==(-1,1)", "assert S(162)==(0,0)",
            "assert S(56,0x10000000|17,0,0,0,0)==(-1,1)", "assert S(133,0,0o60600,0)==(-1,1)",
            "assert S(161,0)==(-1,1)",
        ])
    func denies(code: String) throws { #expect(try run(code).output == "held\n") }

    @Test("ordinary calls pass")
    func allows() throws {
        let code = """
            import threading,subprocess,socket,os,tempfile
            ts=[threading.Thread(target=lambda: None) for _ in range(5)]; [t.start() for t in ts]; [t.join() for t in ts]
            assert subprocess.check_output(['echo','x'])==b'x\\n'
            socket.socketpair(); socket.socket(socket.AF_INET); tempfile.TemporaryFile().write(b'x')
            """
        #expect(try run(code).output == "held\n")
    }

    @Test("x32 numbers end the process")
    func foreign() throws { #expect(try run("S(0x40000027)").status == SIGSYS) }

    @Test("every listed name is a system call of this architecture, or of none that this kernel could have")
    func names() throws { #expect(SeccompPolicy.unresolvedNames() == []) }
}
