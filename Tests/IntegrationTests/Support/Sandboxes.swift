import Foundation

/// The sandboxes that a stack has, as the kernel shows them.
enum Sandboxes {
    static func count(of instance: String) -> Int {
        let mounts = (try? String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8)) ?? ""
        let roots = mounts.split(separator: "\n").compactMap { line -> String? in
            let fields = line.split(separator: " ")
            return line.contains(" - cgroup") && fields.count > 4 ? String(fields[4]) : nil
        }
        return roots.reduce(0) { total, root in
            let directory = "\(root)/soulbox-\(instance)/sbx"
            let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
            return total
                + names.filter { name in
                    var isDirectory: ObjCBool = false
                    return FileManager.default.fileExists(atPath: "\(directory)/\(name)", isDirectory: &isDirectory)
                        && isDirectory.boolValue
                }.count
        }
    }
}
