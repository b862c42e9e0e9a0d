import Foundation
import IsolationProtocol
import LinuxKernel
import TestProcess
import Testing

/// A template whose recipe has modules imported ahead: in the zygote, once for all programs.
@Suite("Modules imported ahead", .enabled(if: Host.canIsolate))
struct PreloadTests {
    @Test("they are there, nothing tells of it, and forks of what has them work, one after the other")
    func preloaded() throws {
        let images = try images(options: ["-X", "preload=numpy,pandas"])
        defer { try? FileManager.default.removeItem(atPath: images) }
        let isolator = try TestIsolator(images: images, ready: 2)
        defer { isolator.stop() }
        for _ in 0..<6 {
            let deadline = Date.now + 30 * Double(Host.patience)
            while try isolator.status.ready < 2, Date.now < deadline { usleep(20_000) }
            let before = try isolator.status.readyTaken
            let run = try Run.python(
                """
                import sys
                print('pandas' in sys.modules, sys._xoptions, sys.orig_argv[1:])
                import numpy, pandas, threading
                results = []
                thread = threading.Thread(target=lambda: results.append((numpy.ones((64, 64)) @ numpy.ones((64, 64))).sum()))
                thread.start(); thread.join()
                print(results, pandas.Series([1, 2, 3]).sum())
                """, on: isolator)
            #expect(run.output == "True {} ['main.py']\n[262144.0] 6\n", "\(run)")
            #expect(try isolator.status.readyTaken == before + 1)
        }
    }

    /// A directory of images with `basic-python` alone, whose interpreters start with those options.
    private func images(options: [String]) throws -> String {
        let all = "/var/cache/soulbox/images"
        let directory = "/var/cache/soulbox/test-images-\(UUID().uuidString.prefix(8).lowercased())"
        try FileManager.default.createDirectory(atPath: directory + "/current", withIntermediateDirectories: true)
        let original = URL(filePath: all + "/current/basic-python").resolvingSymlinksInPath().path
        // Its files are linked and not copied.
        let copy = try TestProcess("/usr/bin/cp", ["-al", original, directory + "/basic-python-ahead"])
        #expect(copy.waitForExit(seconds: 60) == .exited(0))
        let path = directory + "/basic-python-ahead/manifest.json"
        let data = try Data(contentsOf: URL(filePath: path))
        var manifest = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        var program = try #require(manifest["program"] as? [String: Any])
        var run = try #require(program["run"] as? [String: Any])
        var prestart = try #require(run["prestart"] as? [String: Any])
        prestart["options"] = options
        run["prestart"] = prestart
        program["run"] = run
        manifest["program"] = program
        // A new file in place of the link.
        try FileManager.default.removeItem(atPath: path)
        try JSONSerialization.data(withJSONObject: manifest).write(to: URL(filePath: path))
        try FileManager.default.createSymbolicLink(
            atPath: directory + "/current/basic-python", withDestinationPath: "../basic-python-ahead")
        return directory
    }
}
