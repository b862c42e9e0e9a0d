import LinuxKernel
import Testing

@testable import Isolation

/// The posture check sees a sandbox that was weakened in one single way.
@Suite("Posture check")
struct PostureCheckTests {
    private static let status = """
        Name:\tsoulbox-init
        Uid:\t268436456\t268436456\t268436456\t268436456
        Gid:\t268436456\t268436456\t268436456\t268436456
        Groups:\t
        CapInh:\t0000000000000000
        CapPrm:\t0000000000000000
        CapEff:\t0000000000000000
        CapBnd:\t0000000000000000
        CapAmb:\t0000000000000000
        NoNewPrivs:\t1
        Seccomp:\t2
        Seccomp_filters:\t2
        Threads:\t1
        """

    private static let mounts = """
        1 0 0:1 / / rw,nosuid,nodev - overlay overlay rw
        2 1 0:2 / /dev rw,nosuid,noexec - tmpfs none rw
        3 1 0:3 / /proc rw,nosuid,nodev,noexec - proc proc rw
        4 2 0:4 / /dev/pts rw,nosuid,noexec - devpts devpts rw
        5 2 0:5 / /dev/shm rw,nosuid,nodev - tmpfs tmpfs rw
        6 1 0:6 / /run rw,nosuid,nodev - tmpfs tmpfs rw
        7 3 0:3 /sys /proc/sys ro,nosuid,nodev,noexec - proc proc rw
        """

    private func kernel(_ text: String) -> KernelText { KernelText(Array(text.utf8)) }

    @Test("a sound process and sound mounts pass")
    func sound() throws {
        try PostureCheck.verifyStatus(kernel(PostureCheckTests.status), hostProgram: 268_436_456)
        try PostureCheck.verifyMounts(kernel(PostureCheckTests.mounts))
        #expect(throws: SandboxError.self) {
            try PostureCheck.verifyStatus(kernel(PostureCheckTests.status), hostProgram: 268_501_992)
        }
    }

    @Test(
        "one weakness in a process is found",
        arguments: [
            ("CapInh:\t0000000000000000", "CapInh:\t0000000000000001"),
            ("CapPrm:\t0000000000000000", "CapPrm:\t0000000000200000"),
            ("CapEff:\t0000000000000000", "CapEff:\t0000000000200000"),
            ("CapBnd:\t0000000000000000", "CapBnd:\t000001ffffffffff"),
            ("CapAmb:\t0000000000000000", "CapAmb:\t0000000000000400"), ("NoNewPrivs:\t1", "NoNewPrivs:\t0"),
            ("Seccomp:\t2", "Seccomp:\t0"), ("Seccomp_filters:\t2", "Seccomp_filters:\t1"),
            ("Uid:\t268436456\t268436456", "Uid:\t268436456\t0"), ("Gid:\t268436456", "Gid:\t0"),
            ("Groups:\t", "Groups:\t0 "), ("Threads:\t1", "Threads:\t2"), ("NoNewPrivs:\t1\n", ""),
        ])
    func weakenedProcess(sound: String, weak: String) {
        let text = PostureCheckTests.status.replacing(sound, with: weak)
        #expect(text != PostureCheckTests.status)
        #expect(throws: SandboxError.self) {
            try PostureCheck.verifyStatus(kernel(text), hostProgram: 268_436_456)
        }
    }

    @Test(
        "one weakness in the mounts is found",
        arguments: [
            ("/ / rw,nosuid,nodev", "/ / rw,nodev"), ("/ / rw,nosuid,nodev", "/ / rw,nosuid"),
            ("/proc/sys ro,", "/proc/sys rw,"), ("/dev/shm rw,nosuid,nodev", "/dev/shm rw,nosuid"),
            ("6 1 0:6 / /run rw,nosuid,nodev - tmpfs tmpfs rw", "6 1 0:6 / /sys rw,nosuid,nodev - sysfs sysfs rw"),
            ("/proc/sys ro", "/proc/other ro"),
        ])
    func weakenedMounts(sound: String, weak: String) {
        let text = PostureCheckTests.mounts.replacing(sound, with: weak)
        #expect(text != PostureCheckTests.mounts)
        #expect(throws: SandboxError.self) { try PostureCheck.verifyMounts(kernel(text)) }
    }
}
