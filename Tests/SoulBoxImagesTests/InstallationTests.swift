import LinuxKernel
import Testing

@testable import SoulBoxImages

@Suite struct InstallationTests {
    @Test("quotes paths for the shell", arguments: [("/a b", "'/a b'"), ("it's", "'it'\\''s'")])
    func quotes(text: String, expected: String) { #expect(Installation.quoted(text) == expected) }

    @Test("names steps and ignores other lines")
    func namesSteps() {
        #expect(
            Installation.stepName(of: "I: installing remaining packages inside the chroot...") == "installing packages")
        #expect(Installation.stepName(of: "W: something") == nil)
    }

    @Test("hands on every line of a program and how it ended")
    func runsPrograms() throws {
        var lines: [String] = []
        let status = try ChildProcess.run(
            "/bin/sh", ["-c", "echo one; echo $A >&2; printf three; exit 4"], environment: ["A=two"]
        ) { lines.append($0) }
        #expect(lines == ["one", "two", "three"])
        #expect(status == .exited(4))
        #expect(try ChildProcess.run("/bin/sh", ["-c", "kill -9 $$"], environment: []) { _ in } == .signaled(9))
    }
}
