import Foundation
import IsolationProtocol
import LinuxKernel
import SoulBoxModel
import Testing

/// Row 8 of the attack table: an image whose mount points are links.
@Suite("Attacks: hostile images", .enabled(if: Host.canIsolate), .serialized)
struct HostileImageTests {
    /// A directory of images with one whose root has these links.
    private func makeImages(_ links: [String: String]) throws -> String {
        let files = FileManager.default
        let directory = "/var/cache/soulbox/test-images-\(UUID().uuidString.prefix(8).lowercased())"
        let root = directory + "/evil-1/rootfs"
        for name in ["usr/lib", "dev", "proc", "run", "tmp", "workspace"] where links[name] == nil {
            try files.createDirectory(atPath: "\(root)/\(name)", withIntermediateDirectories: true)
        }
        for (name, target) in links {
            try files.createSymbolicLink(atPath: "\(root)/\(name)", withDestinationPath: target)
        }
        try files.createDirectory(atPath: directory + "/current", withIntermediateDirectories: true)
        try files.createSymbolicLink(atPath: directory + "/current/evil", withDestinationPath: "../evil-1")
        let manifest: JSONValue = [
            "id": "evil", "name": "Evil", "description": "", "runtime": "python", "runtime_version": "3",
            "version": "1",
            "base_image": "", "recipe_hash": "0",
            "program": ["file": "main.py", "compile": .null, "run": ["argv": ["/bin/true"]], "minimum_memory": 1],
        ]
        try Data(manifest.bytes).write(to: URL(filePath: directory + "/evil-1/manifest.json"))
        return directory
    }

    @Test(
        "8: a mount point that is a link is refused, and nothing is mounted or written through it",
        arguments: [
            ["dev": "/tmp/x"], ["dev": "../../../../../../../../etc"], ["proc": "/etc"], ["run": "/tmp"],
            ["dev": "proc"],
        ])
    func links(links: [String: String]) throws {
        let images = try makeImages(links)
        defer { try? FileManager.default.removeItem(atPath: images) }
        let isolator = try TestIsolator(images: images)
        defer { isolator.stop() }
        let before = try Files.readString("/proc/self/mountinfo", maximum: 1 << 20)
        let listing = try FileManager.default.contentsOfDirectory(atPath: "/etc").sorted()
        var request = Run.Request("print(1)")
        request.template = "evil"
        let run = try Run.run(request, on: isolator)
        #expect(run.error?.code == .isolationFailed && run.outcome == nil, "\(run)")
        #expect(try Files.readString("/proc/self/mountinfo", maximum: 1 << 20) == before)
        #expect(try FileManager.default.contentsOfDirectory(atPath: "/etc").sorted() == listing)
        #expect(isolator.waitUntilClean())
    }

    @Test("a template that nobody built is told as such")
    func missing() throws {
        var request = Run.Request("print(1)")
        for name in ["none", "../basic-python", "", "a/b"] {
            request.template = name
            #expect(try Run.run(request).error?.code == .templateNotFound)
        }
    }
}
