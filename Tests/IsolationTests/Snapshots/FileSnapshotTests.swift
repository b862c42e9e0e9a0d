import Foundation
import IsolationProtocol
import LinuxKernel
import SoulBoxModel
import Testing

@Suite("Snapshots of files", .serialized, .enabled(if: Host.canIsolate))
struct FileSnapshotTests {
    @Test(
        "A chain of snapshots, compressed and not: each restores what there was when it was taken",
        arguments: [false, true])
    func chain(compress: Bool) throws {
        let sandbox = try TestSandbox()
        defer { try? sandbox.remove() }
        #expect(
            try sandbox.python("import os; open('a','wb').write(os.urandom(3<<20)); open('b','w').write('1')").output
                == "")
        let hash = "import hashlib; print(hashlib.sha256(open('a','rb').read()).hexdigest(), open('b').read())"
        let first = try sandbox.python(hash).output
        var told: [SnapshotProgress] = []
        let full = try TestSnapshot(of: sandbox, compress: compress) { told.append($0) }
        #expect(!full.description.hasMemory && full.description.sizeBytes > 3 << 20)
        #expect(told.contains { $0.phase == "files" } && told.allSatisfy { $0.doneBytes <= $0.totalBytes })
        #expect(try sandbox.python("open('b','w').write('2')").output == "")
        let second = try sandbox.python(hash).output
        let change = try TestSnapshot(of: sandbox, compress: compress, parent: full)
        #expect(change.description.sizeBytes < full.description.sizeBytes)
        #expect(try sandbox.python("import os; os.remove('a')").output == "")
        let third = try TestSnapshot(of: sandbox, parent: change)
        for (snapshot, wanted) in [(full, first), (change, second)] {
            let copy = try snapshot.restore()
            #expect(try copy.python(hash).output == wanted)
            try copy.remove()
        }
        let last = try third.restore(into: sandbox)
        #expect(try last.python("import os; print(os.path.exists('a'), open('b').read())").output == "False 2\n")
        #expect(refusal { try full.remove() }?.code == .conflict)
        for snapshot in [third, change, full] { try snapshot.remove() }
        #expect(refusal { _ = try full.restore() }?.code == .snapshotNotFound)
    }

    @Test("30, 68: a changed byte in any file, a missing one, one too many: told, and nothing is started")
    func tampering() throws {
        let sandbox = try TestSandbox()
        defer { try? sandbox.remove() }
        let snapshot = try TestSnapshot(of: sandbox, memory: true)
        defer { try? snapshot.remove() }
        let names = try #require(FileManager.default.enumerator(atPath: snapshot.directory)).compactMap {
            $0 as? String
        }
        .filter { $0 != "memory" }
        #expect(names.contains("disk.ext4") && names.contains("manifest.json") && names.count > 10)
        for name in names {
            let path = snapshot.directory + "/" + name
            let size = try Files.status(path).size
            let file = try FileHandle(forUpdating: URL(filePath: path))
            let place = UInt64(size / 2)
            try file.seek(toOffset: place)
            let byte = try #require(try file.read(upToCount: 1)?.first)
            try file.seek(toOffset: place)
            try file.write(contentsOf: [byte ^ 0x10])
            #expect(refusal { try snapshot.verify() }?.code == .notPossible, "\(name)")
            #expect(refusal { _ = try snapshot.restore() }?.code == .notPossible, "\(name)")
            try file.seek(toOffset: place)
            try file.write(contentsOf: [byte])
            try file.close()
        }
        try snapshot.verify()
        let extra = snapshot.directory + "/memory/extra.img"
        try "x".write(toFile: extra, atomically: false, encoding: .utf8)
        #expect(refusal { _ = try snapshot.restore() }?.code == .notPossible)
        try FileManager.default.removeItem(atPath: extra)
        let page = snapshot.directory + "/memory/pages-1.img"
        try FileManager.default.moveItem(atPath: page, toPath: "/var/tmp/page-\(getpid())")
        #expect(refusal { _ = try snapshot.restore() }?.code == .notPossible)
        try FileManager.default.moveItem(atPath: "/var/tmp/page-\(getpid())", toPath: page)
        let copy = try snapshot.restore()
        try copy.remove()
        // Another account's.
        #expect(
            refusal { try sandbox.connect().removeSnapshot(snapshot.id, account: "acct_other") } == nil)
        #expect(
            refusal { _ = try sandbox.connect().verifySnapshot(snapshot.id, account: "acct_other") }?.code
                == .snapshotNotFound)
        try snapshot.verify()
    }
}
