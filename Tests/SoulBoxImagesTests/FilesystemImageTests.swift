import LinuxKernel
import Testing

@testable import SoulBoxImages

@Suite struct FilesystemImageTests {
    /// Attack 67: the kernel trusts what it mounts, so nothing that a user made is mounted, whatever it is called.
    @Test(
        "refuses filesystems and disks by what they hold",
        arguments: [
            ("ext2, ext3 or ext4", 0x438, [0x53, 0xEF]), ("erofs", 0x400, [0xE2, 0xE1, 0xF5, 0xE0]),
            ("squashfs", 0, [0x68, 0x73, 0x71, 0x73]), ("qcow2", 0, [0x51, 0x46, 0x49, 0xFB]),
            ("xfs", 0, [0x58, 0x46, 0x53, 0x42]), ("ISO 9660", 0x8001, [0x43, 0x44, 0x30, 0x30, 0x31]),
        ] as [(String, Int, [UInt8])])
    func refuses(name: String, offset: Int, signature: [UInt8]) throws {
        let directory = TemporaryDirectory()
        defer { directory.remove() }
        directory.write("image.tar", "")
        var bytes = [UInt8](repeating: 0, count: offset) + signature + [UInt8](repeating: 0, count: 4096)
        // Even one that passes for a tar file too.
        if offset > 512 { bytes.replaceSubrange(257..<262, with: Array("ustar".utf8)) }
        try Files.write("\(directory.path)/image.tar", bytes)
        let error = #expect(throws: ImageError.self) { try ImportSource("\(directory.path)/image.tar") }
        #expect(error?.message.contains("is a filesystem image (\(name)), and one is never mounted") == true)
    }

    @Test("refuses a real ext4 filesystem", .enabled(if: ExtendedFilesystem.isAvailable))
    func refusesExtended() throws {
        let directory = TemporaryDirectory()
        defer { directory.remove() }
        let path = "\(directory.path)/image.ext4"
        let file = try Files.open(path, [.readWrite, .create], mode: 0o600)
        try Files.setSize(of: file.rawValue, 16 << 20)
        try ExtendedFilesystem.make(in: path)
        let error = #expect(throws: ImageError.self) { try ImportSource(path) }
        #expect(error?.message.contains("ext4") == true)
    }

    @Test("tells archives by what they hold, and references by their letters")
    func recognises() throws {
        let directory = TemporaryDirectory()
        defer { directory.remove() }
        directory.write("text", "hello\n")
        #expect(throws: ImageError.self) { try ImportSource("\(directory.path)/text") }
        #expect(throws: ImageError.self) { try ImportSource("\(directory.path)/missing") }
        #expect(
            try ImportSource("docker://docker.io/library/node:22") == .registry(reference: "docker.io/library/node:22"))
        for reference in ["docker://", "docker://-x", "docker://a b", "docker://a;b", "oci://a"] {
            #expect(throws: ImageError.self) { try ImportSource(reference) }
        }
    }

    @Test(
        "reads versions",
        arguments: [("Python 3.11.2", "3.11.2"), ("jdk-21.0.5+11", "21.0.5"), ("v22.", "22"), ("go", nil)])
    func versions(text: String, expected: String?) { #expect(RuntimeInstallation.number(text) == expected) }
}
