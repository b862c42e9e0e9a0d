import Foundation
import IsolationProtocol

/// The sandboxes of an instance, as the host sees them.
enum Sandboxes {
    /// How many there are that do not stand ready for somebody, once what is being made or removed is done; 10 seconds at most.
    static func inUse(of instance: String) async throws -> Int {
        var count = 0
        for _ in 0..<100 {
            let ready = (try? IsolationConnection(path: "/run/soulbox/\(instance)/isolator.sock").status().ready) ?? 0
            count = names(of: instance).count - ready
            if count == 0 { return 0 }
            try await Task.sleep(for: .milliseconds(100))
        }
        return count
    }

    private static func names(of instance: String) -> Set<String> {
        let mounts = (try? String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8)) ?? ""
        let roots = mounts.split(separator: "\n").compactMap { line -> String? in
            let fields = line.split(separator: " ")
            return line.contains(" - cgroup") && fields.count > 4 ? String(fields[4]) : nil
        }
        return Set(
            roots.flatMap { root in
                let directory = "\(root)/soulbox-\(instance)/sbx"
                return ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []).filter { name in
                    var isDirectory: ObjCBool = false
                    return FileManager.default.fileExists(atPath: "\(directory)/\(name)", isDirectory: &isDirectory)
                        && isDirectory.boolValue
                }
            })
    }
}
