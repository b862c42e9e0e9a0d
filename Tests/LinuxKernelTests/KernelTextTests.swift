import Glibc
import Testing

@testable import LinuxKernel

@Suite("Texts of the kernel's")
struct KernelTextTests {
    private func text(_ string: String) -> KernelText { KernelText(Array(string.utf8)) }

    @Test("lines, words and parts, empty ones left out")
    func parts() {
        let status = text("Uid:\t1\t2\n\nGid:\t 3 \t4\nlast")
        #expect(status.lines.map(\.string) == ["Uid:\t1\t2", "Gid:\t 3 \t4", "last"])
        #expect(status.lines.map { $0.words.map(\.string) } == [["Uid:", "1", "2"], ["Gid:", "3", "4"], ["last"]])
        #expect(text("ro,nosuid,,nodev").parts(at: ",").map(\.string) == ["ro", "nosuid", "nodev"])
        #expect(text("").lines.map(\.string).isEmpty && text("\n\n").lines.map(\.string).isEmpty)
    }

    @Test("a line is found by its whole beginning, and the first one counts")
    func lines() {
        let status = text("Seccomp:\t2\nSeccomp_filters:\t1\nSeccomp:\t0\n")
        #expect(status.line(after: "Seccomp:")?.words.map(\.string) == ["2"])
        #expect(status.line(after: "Seccomp_filters:")?.words.map(\.string) == ["1"])
        #expect(status.line(after: "filters:") == nil)
    }

    @Test(
        "numbers", arguments: [("0", 0), ("42\n", 42), ("populated", 0), ("", 0), ("18446744073709551616", UInt64.max)])
    func numbers(_ string: String, _ number: UInt64) {
        #expect(text(string).number == number)
    }

    @Test("what follows the last of a character, and what is a number")
    func rest() {
        #expect(text("1 (a) b) S 2").rest(afterLast: ")")?.words.map(\.string) == ["S", "2"])
        #expect(text("1 a").rest(afterLast: ")") == nil && text("a)").rest(afterLast: ")")?.isEmpty == true)
        #expect(text("120").isNumber && !text("12x").isNumber && !text("").isNumber && !text("-1").isNumber)
    }

    @Test("equal is equal in every byte")
    func equality() {
        #expect(text("nosuid").equals("nosuid") && text("nosuid").equals("no" + "suid"))
        #expect(!text("nosuid").equals("nosui") && !text("nosui").equals("nosuid"))
        #expect(!text("").equals("nosuid") && text("").equals(""))
        // Equal as Unicode has it, and not the same.
        #expect(!text("e\u{301}").equals("\u{e9}"))
        #expect(text("/proc/sys").begins(with: "/proc/") && !text("/proc").begins(with: "/proc/"))
    }

    @Test("a key is no other's beginning")
    func keys() throws {
        let path = "/tmp/kernel-text-\(getpid())"
        try Files.writeAtomically(
            path, Array("inactive_file_extra 1\noom_kill 7\ninactive_file 3\n".utf8), mode: 0o600)
        defer { unlink(path) }
        #expect(try CgroupFiles.number(path, key: "inactive_file") == 3)
        #expect(try CgroupFiles.number(path, key: "oom_kill") == 7)
        #expect(try CgroupFiles.number(path, key: "oom") == 0)
    }
}
