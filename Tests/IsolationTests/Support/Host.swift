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
    /// What part of the speed of a real machine this one has at least, in percent (SOULBOX_TEST_SHARE): less than 100
    /// where it is emulated.
    private static let share = ProcessInfo.processInfo.environment["SOULBOX_TEST_SHARE"].flatMap { Int($0) } ?? 100

    /// How often something is repeated: `count`, or a share of it where the machine is emulated.
    static func repetitions(_ count: Int) -> Int { max(1, count * share / 100) }

    /// How many times as long a test waits before it gives something up that no deadline is tested on.
    static let patience = max(1, 100 / max(1, share))
}
