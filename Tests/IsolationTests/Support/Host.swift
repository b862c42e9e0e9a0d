import Foundation

/// What this machine can do, and what to do when it cannot.
enum Host {
    /// Whether sandboxes can be made here. With SOULBOX_MUST_ISOLATE=1 tests run whatever is missing, and fail.
    static let canIsolate: Bool = {
        if ProcessInfo.processInfo.environment["SOULBOX_MUST_ISOLATE"] == "1" { return true }
        let isRoot = geteuid() == 0
        let hasImage = FileManager.default.fileExists(
            atPath: "/var/cache/soulbox/images/current/basic-python/manifest.json")
        if !isRoot || !hasImage {
            print("SKIPPED isolation tests: they need root and built images (soulbox image build)")
        }
        return isRoot && hasImage
    }()
}

extension Host {
    /// How often something is repeated: `count`, or a share of it where the machine is emulated
    /// (SOULBOX_TEST_SHARE, in percent).
    static func repetitions(_ count: Int) -> Int {
        let share = ProcessInfo.processInfo.environment["SOULBOX_TEST_SHARE"].flatMap { Int($0) } ?? 100
        return max(1, count * share / 100)
    }
}
