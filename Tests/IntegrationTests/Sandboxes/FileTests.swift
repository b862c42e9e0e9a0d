import Crypto
import Foundation
import LinuxKernel
import SoulBoxModel
import Testing

@Suite("Files of sandboxes", .enabled(if: Host.canRunStack), .serialized)
struct FileTests {
    private var stack: TestStack { .shared }

    private func upload(_ body: String, boundary: String = "B") async throws -> Answer {
        try await stack.send(
            "POST", "/api/files/upload", body: Array(body.utf8),
            headers: ["Content-Type": "multipart/form-data; boundary=\(boundary)"])
    }

    private func part(_ name: String, _ value: String, file: String? = nil) -> String {
        "--B\r\nContent-Disposition: form-data; name=\"\(name)\"" + (file.map { "; filename=\"\($0)\"" } ?? "")
            + "\r\n\r\n\(value)\r\n"
    }

    @Test("the reference's upload, list, download and delete")
    func reference() async throws {
        let sandbox = try await StackSandbox()
        let id = part("sandbox_id", sandbox.id)
        let up = try await upload(id + part("file", "print(1)", file: "uploaded_file.py") + "--B--\r\n")
        #expect(up.status == 200, "\(up.text)")
        let file = up.json["files"]?.arrayValue?.first
        #expect(file?["name"] == "uploaded_file.py" && file?["path"] == "/sandbox/uploaded_file.py")
        #expect(file?["size"] == 8 && file?["uploaded_at"] != nil)
        let several = try await upload(
            id + part("file", "a", file: "a.txt") + part("file", "bb", file: "b.txt") + part("path", "/data/sub")
                + "--B--\r\n")
        #expect(
            several.json["files"]?.arrayValue?.compactMap { $0["path"]?.stringValue } == [
                "/sandbox/data/sub/a.txt", "/sandbox/data/sub/b.txt",
            ])
        let renamed = try await upload(id + part("file", "c", file: "c") + part("path", "/sandbox/d.txt") + "--B--")
        #expect(renamed.json["files"]?.arrayValue?.first?["path"] == "/sandbox/d.txt")
        let list = try await sandbox.send("GET", "/files").json["files"]?.arrayValue ?? []
        #expect(list.compactMap { $0["name"]?.stringValue } == ["d.txt", "data", "uploaded_file.py"])
        #expect(list[1]["type"] == "directory" && list[1]["size"] == nil && list[2]["type"] == "file")
        let below = try await sandbox.send("GET", "/files?path=/sandbox/data&recursive=true").json["files"]?.arrayValue
        #expect(
            below?.compactMap { $0["path"]?.stringValue } == [
                "/sandbox/data/sub", "/sandbox/data/sub/a.txt", "/sandbox/data/sub/b.txt",
            ])
        let got = try await sandbox.send("GET", "/files/uploaded_file.py")
        #expect(got.text == "print(1)")
        #expect(got.headers["content-type"]?.hasPrefix("text/x-python") == true, "\(got.headers)")
        let gone = try await sandbox.send("DELETE", "/files/uploaded_file.py")
        #expect(gone.json == ["message": "File deleted successfully"])
        #expect(try await sandbox.send("GET", "/files/uploaded_file.py").status == 404)
        try await sandbox.remove()
    }

    @Test("ranges, tags, HEAD and digests")
    func http() async throws {
        let sandbox = try await StackSandbox()
        let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let digest = Data(SHA256.hash(data: bytes)).base64EncodedString()
        let put = try await sandbox.put("x/data.bin", bytes, headers: ["Content-Digest": "sha-256=:\(digest):"])
        #expect(put.status == 201 && put.json["size"] == 100_000, "\(put.text)")
        let wrong = try await sandbox.put(
            "x/other.bin", bytes, headers: ["Content-Digest": "sha-256=:\(Data(count: 32).base64EncodedString()):"])
        #expect(wrong.status == 400)
        #expect(try await sandbox.send("GET", "/files/x/other.bin").status == 404)
        let whole = try await sandbox.send("GET", "/files/x/data.bin")
        #expect(whole.body == bytes)
        let tag = try #require(whole.headers["etag"])
        #expect(tag == put.headers["etag"])
        let part = try await sandbox.send("GET", "/files/x/data.bin", headers: ["Range": "bytes=10-19"])
        #expect(part.status == 206 && part.body == Array(bytes[10..<20]))
        #expect(part.headers["content-range"] == "bytes 10-19/100000")
        let beyond = try await sandbox.send("GET", "/files/x/data.bin", headers: ["Range": "bytes=100000-"])
        #expect(beyond.status == 416 && beyond.headers["content-range"] == "bytes */100000")
        let known = try await sandbox.send("GET", "/files/x/data.bin", headers: ["If-None-Match": tag])
        #expect(known.status == 304 && known.body.isEmpty)
        let head = try await sandbox.send("HEAD", "/files/x/data.bin")
        #expect(head.status == 200 && head.headers["content-length"] == "100000" && head.body.isEmpty)
        _ = try await sandbox.put("x/data.bin", [1])
        let changed = try await sandbox.send(
            "GET", "/files/x/data.bin", headers: ["Range": "bytes=0-0", "If-Range": tag])
        #expect(changed.status == 200 && changed.body == [1])
        try await sandbox.remove()
    }

    @Test("directories are made, moved and removed; what is in the way is told")
    func directories() async throws {
        let sandbox = try await StackSandbox()
        #expect(try await sandbox.send("POST", "/directories", ["path": "/sandbox/a/b"]).status == 201)
        #expect(try await sandbox.put("a/b/f", [1, 2]).status == 201)
        let moved = try await sandbox.send("POST", "/rename", ["from": "a/b", "to": "c/d"])
        #expect(moved.json["path"] == "/sandbox/c/d" && moved.json["type"] == "directory", "\(moved.text)")
        #expect(try await sandbox.put("g", [3]).status == 201)
        let inTheWay = try await sandbox.send("POST", "/rename", ["from": "g", "to": "c/d/f"])
        #expect(inTheWay.status == 409)
        let replaced = try await sandbox.send("POST", "/rename", ["from": "g", "to": "c/d/f", "replace": true])
        #expect(replaced.status == 200)
        #expect(try await sandbox.send("GET", "/files/c/d/f").body == [3])
        #expect(try await sandbox.send("DELETE", "/files/c").status == 409)
        #expect(try await sandbox.send("DELETE", "/files/c?recursive=true").status == 200)
        #expect(try await sandbox.send("GET", "/files/c").status == 404)
        #expect(try await sandbox.put("a", [1]).status == 409, "a directory is not overwritten by a file")
        try await sandbox.remove()
    }

    @Test("63–66: a directory goes out and in as tar.gz; what breaks or breaks out leaves nothing")
    func archives() async throws {
        let sandbox = try await StackSandbox()
        let made = try await sandbox.run(
            """
            import os, tarfile, io, gzip
            os.makedirs('p/sub/empty'); open('p/a.txt','w').write('A'); open('p/sub/b','w').write('B'*100000)
            os.symlink('a.txt', 'p/l'); os.chmod('p/a.txt', 0o755); os.link('p/sub/b', 'p/hard')
            def build(name, *entries):
                with tarfile.open(name, 'w:gz') as t:
                    for path, kind, value in entries:
                        i = tarfile.TarInfo(path)
                        i.type = kind
                        if kind == tarfile.REGTYPE:
                            i.size = len(value); t.addfile(i, io.BytesIO(value))
                        else:
                            i.linkname = value; t.addfile(i)
            R, S, H, D, F, C = tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE
            build('abs.tgz', ('/etc/x', R, b'1')); build('up.tgz', ('ok', R, b'1'), ('../x', R, b'1'))
            build('through.tgz', ('l', S, '/tmp'), ('l/escaped', R, b'1'))
            build('deep.tgz', ('l', S, '../../../../tmp'), ('l/d', D, ''), ('l/d/escaped', R, b'1'))
            build('hardout.tgz', ('h', H, '../../etc/passwd')); build('fifo.tgz', ('f', F, '')); build('dev.tgz', ('c', C, ''))
            build('good.tgz', ('x/y', R, b'1'), ('x/h', H, 'x/y'), ('x/s', S, 'y'))
            with gzip.open('bomb.tgz', 'wb') as g:
                i = tarfile.TarInfo('zeros'); i.size = 10 << 30
                g.write(i.tobuf())
                for _ in range(200): g.write(bytes(1 << 20))
            open('twice.tgz', 'wb').write(open('good.tgz', 'rb').read() * 2)
            print('made')
            """)
        #expect(made["output"] == "made\n", "\(made.text)")
        let out = try await sandbox.send("GET", "/files/p?archive=tar.gz")
        #expect(out.status == 200 && out.headers["content-type"] == "application/gzip")
        let back = try await sandbox.stack.send(
            "PUT", "/api/sandboxes/\(sandbox.id)/files/q/r?archive=tar.gz", body: out.body,
            headers: ["Content-Type": "application/gzip"])
        #expect(back.status == 201 && back.json["entries"] == 6, "\(back.text)")
        let same = try await sandbox.run(
            """
            import os, filecmp
            print(open('q/r/a.txt').read(), os.readlink('q/r/l'), os.path.isdir('q/r/sub/empty'), oct(os.stat('q/r/a.txt').st_mode),
                  filecmp.cmp('p/sub/b', 'q/r/sub/b'), filecmp.cmp('p/hard', 'q/r/hard'))
            """)
        #expect(same["output"] == "A a.txt True 0o100755 True True\n", "\(same.text)")
        let whole = try await sandbox.send("GET", "/files?archive=tar.gz")
        #expect(whole.status == 200 && whole.body.count > 100)
        for name in ["abs", "up", "through", "deep", "hardout", "fifo", "dev", "bomb", "twice"] {
            let archive = try await sandbox.send("GET", "/files/\(name).tgz")
            let answer = try await sandbox.stack.send(
                "PUT", "/api/sandboxes/\(sandbox.id)/files/into?archive=tar.gz", body: archive.body,
                headers: ["Content-Type": "application/gzip"])
            #expect(
                answer.status == 422 || (name == "bomb" && answer.status == 507),
                "\(name): \(answer.status) \(answer.text)")
        }
        let left = try await sandbox.run(
            "import os; print(os.path.exists('into'), os.path.exists('x'), [n for n in os.listdir('.') + os.listdir('/tmp') if 'escaped' in n or n.startswith('.archive')], os.listdir('/tmp/.soulbox'))"
        )
        #expect(left["output"] == "False False [] []\n", "\(left.text)")
        let good = try await sandbox.send("GET", "/files/good.tgz")
        let taken = try await sandbox.stack.send(
            "PUT", "/api/sandboxes/\(sandbox.id)/files/into?archive=tar.gz", body: good.body,
            headers: ["Content-Type": "application/gzip"])
        #expect(taken.json["entries"] == 3, "\(taken.text)")
        #expect(try await sandbox.run("print(open('into/x/s').read(), open('into/x/h').read())")["output"] == "1 1\n")
        try await sandbox.remove()
    }

    @Test("57, 60: no path and no link leads out of the sandbox")
    func paths() async throws {
        let sandbox = try await StackSandbox()
        let made = try await sandbox.run(
            """
            import os
            os.symlink('/etc/shadow', 'shadow'); os.symlink('/proc/1/environ', 'environ')
            os.symlink('/proc/self/root/etc/passwd', 'magic'); os.symlink('../../../../etc/hostname', 'up')
            os.symlink('/dev/zero', 'zero'); os.mkfifo('fifo'); os.symlink('/etc/passwd', 'passwd')
            os.symlink('/', 'top'); os.symlink('loop', 'loop')
            print('made')
            """)
        #expect(made["output"] == "made\n", "\(made.text)")
        let own = try await sandbox.run("print(open('/etc/passwd').read(), end='')")["output"]?.stringValue
        #expect(try await sandbox.send("GET", "/files/passwd").text == own)
        // Links that climb end at the sandbox's own root.
        #expect(try await sandbox.send("GET", "/files/up").text.trimmingCharacters(in: .newlines) == "sandbox")
        let host = (try? String(contentsOfFile: "/etc/shadow", encoding: .utf8)) ?? "none"
        for path in [
            "shadow", "environ", "magic", "zero", "fifo", "loop", "top/etc/shadow", "top/proc/1/environ",
            "..%2f..%2fetc%2fshadow", "%2e%2e/%2e%2e/etc/shadow", "../../etc/shadow", "//etc/shadow", "/etc/shadow",
            "a%00b", String(repeating: "x/", count: 2500) + "y", String(repeating: "n", count: 256), "%ff%fe", ".",
            "%2e", "./%2e/", "top", "top/dev/null", "fifo/x",
        ] {
            for method in ["GET", "DELETE"] where method == "GET" || path.contains("..") || path.contains("%2e") {
                let answer = try await sandbox.send(method, "/files/\(path)")
                #expect((400..<500).contains(answer.status), "\(method) \(path): \(answer.status) \(answer.text)")
                #expect(answer.text != host)
            }
        }
        // Writing through links stays inside too.
        #expect(try await sandbox.run("import os; os.symlink('/etc', 'd'); print(1)")["output"] == "1\n")
        #expect(try await sandbox.put("d/cron.d/x", [1]).status == 409)
        #expect(!FileManager.default.fileExists(atPath: "/etc/cron.d/x"))
        try await sandbox.remove()
    }

    @Test("34, 10: an upload that breaks or does not fit leaves the old file, and nothing else")
    func broken() async throws {
        let sandbox = try await StackSandbox()
        #expect(try await sandbox.put("f", Array("old".utf8)).status == 201)
        let large = [UInt8](repeating: 7, count: 80 << 20)
        let full = try await sandbox.put("f", large)
        #expect(full.status == 507, "\(full.text)")
        #expect(try await sandbox.send("GET", "/files/f").text == "old")
        let left = try await sandbox.run(
            "import os; print(os.listdir('/tmp/.soulbox'), os.statvfs('/').f_bavail > 1000)")
        #expect(left["output"] == "[] True\n", "\(left.text)")
        let open = try await upload(part("sandbox_id", sandbox.id) + part("file", "x", file: "y"))
        #expect(open.status == 400)
        #expect(try await sandbox.send("GET", "/files").json["files"]?.arrayValue?.count == 1)
        let late = try await upload(part("file", "x", file: "y") + part("sandbox_id", sandbox.id) + "--B--")
        #expect(late.json["error"]?["details"]?["field"] == "sandbox_id")
        try await sandbox.remove()
    }
}
