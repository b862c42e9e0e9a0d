import Glibc
import LinuxKernel
import SoulBoxModel
import Testing

@testable import SoulBoxImages

/// Whether this process may make sandboxes; where it must, a skip is a failure.
private let canImport = geteuid() == 0 && (try? ImportTools.check()) != nil || getenv("SOULBOX_MUST_ISOLATE") != nil

@Suite(.enabled(if: canImport), .serialized) struct ImageImporterTests {
    private func message(_ body: () throws -> Void) -> String {
        do {
            try body()
        } catch {
            return "\(error)"
        }
        Issue.record("nothing was refused")
        return ""
    }

    @Test("makes a template of an OCI archive", arguments: ["", "gzip", "xz"])
    func imports(compression: String) throws {
        let fixture = ArchiveFixture()
        defer { fixture.remove() }
        var archive = try fixture.archive(
            [.plain()],
            environment: [
                "PATH=/opt/bin:/usr/bin", "PYTHON_VERSION=3.11.2", "LANG=C.UTF-8", "DB_PASSWORD=secret",
                "PYTHONPATH=/opt/lib", "HOME=/root",
            ])
        if !compression.isEmpty {
            try fixture.shell("\(compression) image.tar")
            archive += compression == "gzip" ? ".gz" : ".xz"
        }
        try fixture.run(archive) {
            $0.minimumMemoryBytes = 80 << 20
            $0.environment = [(name: "MODEL", value: "/opt/data")]
        }
        let catalogue = fixture.catalogue
        let name = try #require(catalogue.current("my-python"))
        let manifest = try #require(catalogue.manifest(of: name))
        #expect(manifest.runtime == .python)
        #expect(manifest.runtimeVersion == "3.11.2")
        #expect(manifest.run.arguments == ["/usr/bin/python3", "{entrypoint}"])
        #expect(manifest.context?.arguments == ["/usr/bin/python3", "-u", "/usr/lib/soulbox/context.py"])
        #expect(manifest.minimumMemoryBytes == 80 << 20)
        #expect(
            manifest.environment.map { "\($0.name)=\($0.value)" } == [
                "PATH=/opt/bin:/usr/bin", "PYTHON_VERSION=3.11.2", "LANG=C.UTF-8", "PYTHONPATH=/workspace:/opt/lib",
                "MODEL=/opt/data",
            ])
        let root = fixture.root("my-python")
        #expect(try Files.readString("\(root)/etc/passwd").hasPrefix("root:x:0:0"))
        #expect(try Files.readString("\(root)/opt/data/table.csv") == "1,2\n")
        let table = try Files.status("\(root)/opt/data/table.csv")
        #expect((table.mode & 0o7777, table.user, table.modified.seconds) == (0o644, 0, 1_700_000_000))
        #expect(Files.exists("\(root)/usr/lib/soulbox/context.py"))
        let listed = try catalogue.list()
        #expect(listed.map(\.isCurrent) == [true])
        #expect(listed.first?.imported?.hasPrefix("sha256:") == true)
        #expect(try Files.list(catalogue.directory).sorted() == [".lock", "current", name])
        #expect(LoopDevice.devices(of: "\(catalogue.directory)/.building-import-my-python/disk.ext4").isEmpty)
        try catalogue.remove(name, force: true)
        #expect(try catalogue.list() == [])
    }

    @Test("takes what docker save writes, and a directory with a layout")
    func otherForms() throws {
        let fixture = ArchiveFixture()
        defer { fixture.remove() }
        try fixture.run(try fixture.dockerArchive(.plain()), name: "from-docker")
        _ = try fixture.archive([.plain()])
        try fixture.run("\(fixture.directory.path)/tree", name: "from-layout")
        for name in ["from-docker", "from-layout"] {
            #expect(Files.exists("\(fixture.root(name))/usr/bin/python3.11"))
        }
    }

    @Test("says that the same image is there, and takes another in its place")
    func present() throws {
        let fixture = ArchiveFixture()
        defer { fixture.remove() }
        let archive = try fixture.archive([.plain()])
        try fixture.run(archive)
        let first = try #require(fixture.catalogue.current("my-python"))
        let before = try Files.status("\(fixture.catalogue.directory)/\(first)")
        try fixture.run(archive)
        #expect(try Files.status("\(fixture.catalogue.directory)/\(first)").inode == before.inode)
        try fixture.run(try fixture.archive([.plain { $0.file("etc/new") }]))
        let second = try #require(fixture.catalogue.current("my-python"))
        #expect(second != first)
        #expect(try fixture.catalogue.list().count == 2)
        #expect(Files.exists("\(fixture.root("my-python"))/etc/new"))
    }

    @Test("refuses the names of recipes, unless told to replace them")
    func keepsRecipes() throws {
        let fixture = ArchiveFixture()
        defer { fixture.remove() }
        let archive = try fixture.archive([.plain()])
        let said = message { try fixture.run(archive, name: "basic-python") }
        #expect(said.contains("basic-python is built from a recipe"))
        try fixture.run(archive, name: "basic-python") { $0.replace = true }
        #expect(fixture.catalogue.current("basic-python") != nil)
        for name in ["../up", "My", "", String(repeating: "a", count: 48)] {
            #expect(message { try fixture.run(archive, name: name) }.contains("is no image's name"))
        }
    }

    @Test("hostile layers harm neither the host nor the image")
    func hostileLayers() throws {
        let fixture = ArchiveFixture()
        defer { fixture.remove() }
        fixture.directory.write("outside/file", "the host's\n")
        let outside = "\(fixture.directory.path)/outside"
        let host = try ["/etc/passwd", "/etc/hostname", "/tmp"].map { try Files.status($0).inode }
        // cap_net_raw as a file has it (capabilities(7)): revision 2, effective, and the two words of each set.
        let capability = "\u{1}\0\0\u{2}\0\u{20}\0\0" + String(repeating: "\0", count: 12)
        let first = LayerTree.plain { layer in
            layer.file("/absolute/file", "1")
            layer.file("../../../../../../tmp/soulbox-import-escape", "1")
            layer.link("way", to: outside)
            layer.file("way/file", "changed")
            layer.file("way/new", "1")
            layer.link("up", to: "../../../../../../../..")
            layer.file("up/tmp/soulbox-import-escape", "1")
            layer.link("home", to: "/etc")
            layer.device("usr/memory")
            layer.fifo("usr/fifo")
            layer.file("usr/bin/su", "1", mode: 0o6755)
            layer.file("usr/bin/ping", attribute: "security.capability", value: capability)
            layer.file("usr/marked", attribute: "user.mark", value: "1")
            layer.file("usr/gone", "1")
            layer.directory("secret", mode: 0o700)
            layer.file("secret/key", "1", mode: 0o000)
        }
        var second = LayerTree()
        second.file("usr/.wh.gone")
        second.hardLink("usr/second", to: "usr/bin/su")
        second.link("dev", to: "/dev")
        second.link("tmp", to: outside)
        second.link("proc", to: "/etc")
        second.end()
        try fixture.run(try fixture.archive([first, second]))
        let root = fixture.root("my-python")
        #expect(try Files.readString("\(outside)/file") == "the host's\n")
        #expect(try Files.list(outside) == ["file"])
        #expect(!Files.exists("/tmp/soulbox-import-escape"))
        #expect(try ["/etc/passwd", "/etc/hostname", "/tmp"].map { try Files.status($0).inode } == host)
        #expect(Files.exists("\(root)/absolute/file"))
        #expect(!Files.exists("\(root)/usr/gone"))
        #expect(!Files.exists("\(root)/usr/fifo"))
        #expect(try Files.status("\(root)/usr/bin/su").mode & 0o7777 == 0o755)
        #expect(try Files.status("\(root)/usr/second").inode == Files.status("\(root)/usr/bin/su").inode)
        #expect(try Files.status("\(root)/secret/key").mode & 0o7777 == 0o644)
        for name in ["dev", "tmp", "proc"] { #expect(try Files.status("\(root)/\(name)").isDirectory, "\(name)") }
        try fixture.shell("test -z \"$(find \(root)/ -type b -o -type c -o -type p -o -perm /7000 ! -perm 1777)\"")
        try fixture.shell("test -z \"$(find \(root)/ ! -uid 0 ! -path \(root)/workspace)\"")
        try fixture.shell(
            "! tar --create --xattrs --xattrs-include='*' --file - --directory \(root)/usr bin marked | grep -q SCHILY.xattr"
        )
    }

    @Test("an image whose etc leads to the host's is made fit within itself")
    func hostileEtc() throws {
        let fixture = ArchiveFixture()
        defer { fixture.remove() }
        let before = try Files.status("/etc/passwd")
        var layer = LayerTree()
        for path in ["usr", "usr/bin"] { layer.directory(path) }
        layer.file("usr/bin/python3", "#!/bin/sh\n", mode: 0o755)
        layer.link("etc", to: "/etc")
        layer.link("var", to: "../../../../../../var")
        layer.link("workspace", to: "/root")
        layer.end()
        try fixture.run(try fixture.archive([layer]))
        #expect(try Files.status("/etc/passwd") == before)
        #expect(try Files.status("\(fixture.root("my-python"))/etc").isDirectory)
        #expect(try Files.readString("\(fixture.root("my-python"))/etc/hostname") == "sandbox\n")
    }

    @Test("refuses hard links that lead out, damaged and wrong archives, and leaves nothing")
    func refusesDamage() throws {
        let fixture = ArchiveFixture()
        defer { fixture.remove() }
        var out = LayerTree()
        out.hardLink("passwd", to: "../../../../../../../../etc/passwd")
        out.end()
        #expect(message { try fixture.run(try fixture.archive([out])) }.contains("umoci failed"))
        // The second name of a file that the layer does not have, whatever the host has there.
        #expect(!Files.exists("\(fixture.root("my-python"))/passwd"))

        let wrong = try fixture.archive([.plain()]) { $0[600] ^= 1 }
        #expect(message { try fixture.run(wrong) }.contains("damaged"))

        let whole = try fixture.archive([.plain()])
        let size = try Files.status(whole).size
        try fixture.shell("truncate --size \(size / 2) image.tar")
        #expect(message { try fixture.run(whole) }.contains("damaged"))

        let foreign = try fixture.archive([.plain()], architecture: "s390x")
        #expect(message { try fixture.run(foreign) }.contains("the image is for s390x"))

        try fixture.shell("mkdir other && echo 1 >other/file && tar -cf other.tar other && gzip -c other/file >file.gz")
        #expect(message { try fixture.run("\(fixture.directory.path)/other.tar") }.contains("neither oci-layout"))
        #expect(message { try fixture.run("\(fixture.directory.path)/file.gz") }.contains("no OCI or docker archive"))
        #expect(message { try fixture.run("\(fixture.directory.path)/other") }.contains("without oci-layout"))
        #expect(message { try fixture.run("/dev/null") }.contains("a device"))
        #expect(message { try fixture.run("ftp://example") }.contains("no reference"))
        #expect(try fixture.catalogue.list() == [])
        #expect(try Files.list(fixture.catalogue.directory) == [".lock"])
    }

    @Test("refuses what unpacks to more than it may")
    func refusesSize() throws {
        let fixture = ArchiveFixture()
        defer { fixture.remove() }
        let sparse = try fixture.archive([.plain { $0.hole("huge", size: 1 << 34) }])
        #expect(message { try fixture.run(sparse) }.contains("more than it may"))
        let large = LayerTree.plain { layer in
            for index in 0..<5 { layer.file("file-\(index)", String(repeating: "x", count: 1 << 20)) }
        }
        let archive = try fixture.archive([large])
        #expect(message { try fixture.run(archive) { $0.maximumBytes = 4 << 20 } }.contains("more than it may"))
        // A few kilobytes that unpack to gigabytes.
        try fixture.shell(
            "truncate --size 256M zeros && tar --create --gzip --file bomb.tar.gz zeros --directory tree oci-layout"
        )
        #expect(message { try fixture.run("\(fixture.directory.path)/bomb.tar.gz") }.contains("more than it may"))
        #expect(try fixture.catalogue.list() == [])
    }

    @Test("fails clearly where the language is missing or does not start")
    func missingRuntime() throws {
        let fixture = ArchiveFixture()
        defer { fixture.remove() }
        let archive = try fixture.archive([.plain()])
        #expect(message { try fixture.run(archive, runtime: .nodejs) }.contains("the image has no node or nodejs"))
        let silent = try fixture.archive([.plain()], environment: [])
        #expect(message { try fixture.run(silent) }.contains("/usr/bin/python3 of the image does not start"))
        let rust = try fixture.archive([.plain { $0.file("usr/bin/rustc", "", mode: 0o755) }])
        #expect(message { try fixture.run(rust, runtime: .rust) }.contains("no cc"))
        var outside = LayerTree()
        outside.directory("usr")
        outside.link("usr/bin", to: "../../../../../../../usr/bin")
        outside.end()
        // The host has a Python there; the image has none.
        #expect(message { try fixture.run(try fixture.archive([outside])) }.contains("the image has no python3"))
        #expect(try fixture.catalogue.list() == [])
    }
}
