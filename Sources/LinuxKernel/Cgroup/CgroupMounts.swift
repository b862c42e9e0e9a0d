/// The cgroup mounts in a text of /proc/self/mountinfo (proc(5)).
struct CgroupMounts: Equatable {
    /// The first cgroup2 mount.
    private(set) var unified: String?
    /// v1 controllers, each with the mount that has it.
    private(set) var controllers: [String: String] = [:]

    init(mountinfo: String) {
        for line in mountinfo.split(separator: "\n") {
            // id parent major:minor root mount-point options [optional …] - type source super-options
            guard let separator = line.range(of: " - ") else { continue }
            let before = line[..<separator.lowerBound].split(separator: " ")
            let after = line[separator.upperBound...].split(separator: " ")
            guard before.count >= 5, after.count >= 3 else { continue }
            let point = String(before[4])
            switch after[0] {
            case "cgroup2": if unified == nil { unified = point }
            case "cgroup":
                for option in after[2].split(separator: ",") where controllers[String(option)] == nil {
                    controllers[String(option)] = point
                }
            default: break
            }
        }
    }
}

extension Substring {
    /// Where a text first stands in this one.
    fileprivate func range(of text: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            formIndex(after: &start)
        }
        return nil
    }
}
