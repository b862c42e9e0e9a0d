import Glibc
import Testing

@testable import SoulBoxImages

@Suite struct RootFilesystemTests {
    private func mode(_ path: String) -> UInt32 {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_mode & 0o7777 : UInt32.max
    }

    @Test("leaves no secret, no set-id bit and nothing that only root may read", .enabled(if: geteuid() == 0))
    func finishes() throws {
        let directory = TemporaryDirectory()
        defer { directory.remove() }
        let root = directory.path
        directory.write("etc/shadow", "root:*\n", mode: 0o640)
        directory.write("etc/machine-id", "0123\n")
        directory.write("usr/bin/su", "", mode: 0o4755)
        directory.write("usr/bin/wall", "", mode: 0o2750)
        directory.write("usr/lib/private", "", mode: 0o600)
        directory.write("var/cache/apt/archives/a.deb", "")
        directory.write("root/.bashrc", "")
        directory.write("dev/keep", "")
        mkfifo("\(root)/usr/lib/fifo", 0o666)
        try RootFilesystem(path: root).finish()
        #expect(access("\(root)/etc/shadow", F_OK) != 0)
        #expect(access("\(root)/usr/lib/fifo", F_OK) != 0)
        #expect(access("\(root)/var/cache/apt", F_OK) != 0)
        #expect(access("\(root)/root/.bashrc", F_OK) != 0)
        #expect(access("\(root)/dev/keep", F_OK) != 0)
        #expect(mode("\(root)/usr/bin/su") == 0o755)
        #expect(mode("\(root)/usr/bin/wall") == 0o755)
        #expect(mode("\(root)/usr/lib/private") == 0o644)
        #expect(mode("\(root)/etc/passwd") == 0o644)
        #expect(mode("\(root)/tmp") == 0o1777)
        #expect(mode("\(root)/proc") == 0o755)
        var status = stat()
        #expect(stat("\(root)/sandbox", &status) == 0)
        #expect(status.st_uid == 1000)
        #expect(stat("\(root)/etc/machine-id", &status) == 0)
        #expect(status.st_size == 0)
    }
}
