import Foundation
import LinuxKernel
import TestProcess
import Testing

/// Row 9 of the attack table: a host whose /proc is something else.
@Suite("Attacks: hostile host", .enabled(if: Host.canIsolate), .serialized)
struct HostileHostTests {
    @Test("9: an isolator under a tmpfs as /proc refuses to start")
    func fakeProcess() throws {
        let directory = "/tmp/soulbox-test-\(UUID().uuidString.prefix(8).lowercased())"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try TestIsolator.configuration(instance: "0badf00d", runDirectory: directory)
            .write(toFile: directory + "/config.json", atomically: true, encoding: .utf8)
        let log = directory + "/log"
        let script = """
            mount -t tmpfs tmpfs /proc && mkdir /proc/self /proc/sys && echo > /proc/filesystems \
            && exec \(TestIsolator.binaries)/soulbox-isolator --config \(directory)/config.json
            """
        let isolator = try TestProcess(
            "/usr/bin/unshare", ["--mount", "/bin/sh", "-c", script], environment: ["PATH": "/usr/sbin:/usr/bin:/bin"],
            log: log)
        let status = try #require(isolator.waitForExit(seconds: 20))
        #expect(status != .exited(0))
        let said = try Files.readString(log)
        #expect(said.contains("/proc is not the kernel's procfs"))
    }

    @Test("9: a directory that is no procfs is known as such")
    func types() throws {
        #expect(ProcessFilesystem.lies(at: "/proc") && ProcessFilesystem.lies(at: "/proc/self"))
        #expect(!ProcessFilesystem.lies(at: "/tmp") && !ProcessFilesystem.lies(at: "/nonexistent"))
        let own = try ProcessFilesystem()
        let name = try Files.readString("/proc/self/comm")
        #expect(try own.readString(getpid(), "comm") == name)
        #expect(throws: SystemCallError.self) { try own.readString(getpid(), "root/etc/passwd") }
        #expect(throws: SystemCallError.self) { try own.readString(getpid(), "../../etc/passwd") }
    }
}
