import Foundation
import TestProcess

/// What the machine holds of an isolator's making, counted.
struct HostCounts {
    let groups: Int
    let mounts: Int
    let descriptors: Int
    let processes: Int
    let residentKibibytes: Int

    static func now(of isolator: TestIsolator) -> HostCounts {
        let files = FileManager.default
        let process = "/proc/\(isolator.process.pid)"
        let status = (try? String(contentsOfFile: process + "/status", encoding: .utf8)) ?? ""
        let resident = status.split(separator: "\n").first { $0.hasPrefix("VmRSS") }?
            .split(whereSeparator: \.isWhitespace).dropFirst().first
        let own = ((try? files.contentsOfDirectory(atPath: "/proc")) ?? []).filter { name in
            guard Int(name) != nil, let text = try? String(contentsOfFile: "/proc/\(name)/cgroup", encoding: .utf8)
            else {
                return false
            }
            return text.contains("soulbox-\(isolator.instance)/")
        }
        return HostCounts(
            groups: isolator.sandboxes.count,
            mounts: ((try? String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8)) ?? "").split(
                separator: "\n"
            ).count,
            descriptors: ((try? files.contentsOfDirectory(atPath: process + "/fd")) ?? []).count, processes: own.count,
            residentKibibytes: resident.flatMap { Int($0) } ?? 0)
    }
}
