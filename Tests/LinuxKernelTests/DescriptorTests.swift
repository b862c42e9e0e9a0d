import Foundation
import LinuxKernel
import Testing

@Suite("Descriptors, sockets, files")
struct DescriptorTests {
    private func temporary() throws -> String {
        let path = FileManager.default.temporaryDirectory.appending(path: "soulbox-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    @Test("a failed call names itself and its error")
    func failure() {
        #expect(throws: SystemCallError(call: "openat2", errno: ENOENT)) { _ = try Files.read("/nowhere") }
        #expect(SystemCallError(call: "read", errno: EBADF).description == "read: EBADF")
    }

    @Test("a sealed file can be read and never changed")
    func sealed() throws {
        let file = try SealedFile.make(name: "test", contents: [1, 2, 3])
        #expect(try Files.read(from: file.rawValue, count: 10) == [1, 2, 3])
        #expect(throws: SystemCallError(call: "write", errno: EPERM)) { try Files.write(to: file.rawValue, [4]) }
        #expect(ftruncate(file.rawValue, 0) == -1)
    }

    @Test("descriptors and credentials travel beside a message")
    func passing() throws {
        let pair = try UnixSocket.pair(kind: .sequencedPacket)
        try UnixSocket.passCredentials(on: pair.second)
        let file = try SealedFile.make(name: "test", contents: [7])
        let bytes: [UInt8] = [1, 2]
        _ = try bytes.withUnsafeBytes { try UnixSocket.send($0, descriptors: [file.rawValue], on: pair.first.rawValue) }
        var buffer = [UInt8](repeating: 0, count: 16)
        let message = try buffer.withUnsafeMutableBytes { try UnixSocket.receive(into: $0, from: pair.second.rawValue) }
        #expect(message.count == 2 && message.descriptors.count == 1 && !message.truncated)
        #expect(message.credentials?.pid == getpid() && message.credentials?.uid == geteuid())
        let flags = withExtendedLifetime(message) { fcntl(message.descriptors[0].rawValue, F_GETFD) }
        #expect(flags == FD_CLOEXEC)
    }

    @Test("a message that does not fit is truncated, and its descriptors are closed")
    func truncated() throws {
        let pair = try UnixSocket.pair(kind: .sequencedPacket)
        let bytes = [UInt8](repeating: 1, count: 100)
        _ = try bytes.withUnsafeBytes {
            try UnixSocket.send($0, descriptors: [pair.first.rawValue], on: pair.first.rawValue)
        }
        var buffer = [UInt8](repeating: 0, count: 10)
        let message = try buffer.withUnsafeMutableBytes { try UnixSocket.receive(into: $0, from: pair.second.rawValue) }
        #expect(message.truncated && message.descriptors.isEmpty)
    }

    @Test(
        "openat2 keeps a path beneath its directory",
        arguments: ["../x", "link", "down/../../x", "/etc/passwd", "magic"])
    func beneath(path: String) throws {
        let root = try temporary()
        defer { try? FileManager.default.removeItem(atPath: root) }
        try FileManager.default.createSymbolicLink(atPath: root + "/link", withDestinationPath: "/etc/passwd")
        try FileManager.default.createSymbolicLink(
            atPath: root + "/magic", withDestinationPath: "/proc/self/root/etc/passwd")
        try FileManager.default.createDirectory(atPath: root + "/down", withIntermediateDirectories: true)
        let directory = try Files.openDirectory(root)
        #expect(throws: SystemCallError.self) {
            _ = try Files.open(path, .readOnly, resolve: [.beneath, .noSymlinks], at: directory.rawValue)
        }
    }

    @Test("a tree of any depth is removed, and what its links name is not")
    func removeTree() throws {
        let root = try temporary()
        let outside = try temporary()
        defer { try? FileManager.default.removeItem(atPath: outside) }
        try Files.writeAtomically(outside + "/kept", [1], mode: 0o600)
        try FileManager.default.createSymbolicLink(atPath: root + "/link", withDestinationPath: outside)
        var directory = try Files.openDirectory(root)
        for _ in 0..<5000 {
            try Files.createDirectory("d", mode: 0o700, at: directory.rawValue)
            directory = try Files.open("d", [.readOnly, .directory], at: directory.rawValue)
        }
        try Files.removeTree(root)
        #expect(!Files.exists(root) && Files.exists(outside + "/kept"))
        try Files.removeTree(root)
    }

    @Test("a file is put in place whole, with its mode")
    func atomic() throws {
        let root = try temporary()
        defer { try? FileManager.default.removeItem(atPath: root) }
        try Files.writeAtomically(root + "/f", Array("one".utf8), mode: 0o640)
        try Files.writeAtomically(root + "/f", Array("two".utf8), mode: 0o640)
        #expect(try Files.readString(root + "/f") == "two" && Files.list(root) == ["f"])
        #expect(try Files.status(root + "/f").mode & 0o777 == 0o640)
    }

    @Test("a process started has its streams and environment, and none of our descriptors")
    func spawn() throws {
        let pipe = try Pipe.make()
        let leaking = dup(0)
        defer { close(leaking) }
        let started = try Spawn(
            path: "/bin/sh", arguments: ["-c", "echo $A $(ls /proc/self/fd | wc -l); exit 3"],
            environment: [("A", "b c"), ("PATH", "/usr/bin:/bin")], log: pipe.second.rawValue
        ).start()
        let status = try started.takeProcess().waitForExit()
        #expect(status == .exited(3))
        let reader = pipe.closeSecond()
        #expect(String(decoding: try Files.read(from: reader.rawValue, count: 100), as: UTF8.self) == "b c 4\n")
        #expect(throws: SystemCallError(call: "spawn", errno: ENOENT)) {
            _ = try Spawn(path: "/nowhere", arguments: []).start()
        }
    }
}
