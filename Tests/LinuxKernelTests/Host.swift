import Foundation

/// What this machine can do, and what to do when it cannot.
enum Host {
    /// Whether kernel facilities that need root can be tried. With SOULBOX_MUST_ISOLATE=1 they are, and fail.
    static let isRoot: Bool = {
        if ProcessInfo.processInfo.environment["SOULBOX_MUST_ISOLATE"] == "1" { return true }
        if geteuid() != 0 { print("SKIPPED kernel tests that need root") }
        return geteuid() == 0
    }()
}
