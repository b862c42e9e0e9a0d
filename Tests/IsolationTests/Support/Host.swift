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
