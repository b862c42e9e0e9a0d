import Glibc
import LinuxKernel
import Testing

@testable import SoulBoxImages

@Suite struct RootDirectoryTests {
    /// A tree whose directories lead out of it, and what they lead to.
    private func hostile() -> (directory: TemporaryDirectory, root: String, outside: String) {
        let directory = TemporaryDirectory()
        let root = "\(directory.path)/root"
        let outside = "\(directory.path)/outside"
        directory.write("outside/passwd", "the host's\n")
        directory.write("outside/apt/sources.list", "the host's\n")
        directory.write("outside/tmp/file", "the host's\n")
        directory.write("root/inner/file", "its own\n")
        for (name, target) in [
            ("etc", outside), ("var", "../outside"), ("tmp", "\(outside)/tmp"), ("dev", "/dev"), ("proc", "/proc"),
            ("loop", "loop"), ("up", "../../../../../../etc"), ("inside", "/inner"),
        ] {
            symlink(target, "\(root)/\(name)")
        }
        return (directory, root, outside)
    }

    @Test("keeps reading, writing and removing within the tree")
    func stays() throws {
        let (directory, root, outside) = hostile()
        defer { directory.remove() }
        let tree = try RootDirectory(root)
        #expect(throws: SystemCallError.self) { try tree.read("etc/passwd", maximum: 100) }
        #expect(tree.status("up/passwd") == nil)
        #expect(tree.list("var").isEmpty)
        #expect(try tree.read("inside/file", maximum: 100) == Array("its own\n".utf8))
        try tree.empty("tmp")
        try tree.remove("etc/passwd")
        try tree.remove("var/apt")
        try tree.write("etc/passwd", Array("new\n".utf8), mode: 0o644)
        try tree.write("loop/file", Array("new\n".utf8), mode: 0o644)
        try tree.makeDirectory("tmp")
        try tree.makeDirectory("var/tmp")
        #expect(try Files.readString("\(outside)/passwd") == "the host's\n")
        #expect(try Files.list(outside).sorted() == ["apt", "passwd", "tmp"])
        #expect(try Files.list("\(outside)/tmp") == ["file"])
        #expect(try tree.read("etc/passwd", maximum: 100) == Array("new\n".utf8))
        #expect(try Files.status("\(root)/tmp").isDirectory)
        #expect(try Files.status("\(root)/loop").isDirectory)
    }

    @Test("makes a hostile root fit without touching the host", .enabled(if: geteuid() == 0))
    func finishes() throws {
        let (directory, root, outside) = hostile()
        defer { directory.remove() }
        symlink("/etc/passwd", "\(root)/workspace")
        let before = try Files.status("/etc/passwd")
        try RootFilesystem(path: root, isImported: true).finish()
        #expect(try Files.status("/etc/passwd") == before)
        #expect(try Files.readString("\(outside)/passwd") == "the host's\n")
        #expect(try Files.list("\(outside)/apt") == ["sources.list"])
        #expect(try Files.list("\(outside)/tmp") == ["file"])
        for name in ["dev", "proc", "tmp", "workspace", "etc", "var/tmp"] {
            #expect(try Files.status("\(root)/\(name)").isDirectory, "\(name)")
        }
        #expect(try Files.readString("\(root)/etc/passwd").contains("user:x:1000:1000"))
    }
}
