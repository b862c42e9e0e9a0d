import Foundation

/// What this machine can do, and what to do when it cannot.
enum Host {
    /// Whether nothing may be skipped.
    static let mustRun = ProcessInfo.processInfo.environment["SOULBOX_MUST_ISOLATE"] == "1"

    /// Whether a stack can run here. With SOULBOX_MUST_ISOLATE=1 tests run whatever is missing, and fail.
    static let canRunStack: Bool = {
        if mustRun { return true }
        let has = FileManager.default.fileExists(atPath:)
        let isReady =
            geteuid() == 0 && has("/usr/sbin/nginx") && has("/usr/lib/postgresql")
            && has("/var/cache/soulbox/images/current/basic-java/manifest.json")
        if !isReady { print("SKIPPED integration tests: they need root, nginx, PostgreSQL and built images") }
        return isReady
    }()
}
