import Foundation
import IsolationProtocol
import Synchronization
import TestProcess

/// The isolators that the tests have started; those that still run at the end of the process are ended then, with their
/// persistent sandboxes.
enum TestIsolators {
    private static let started = Mutex<[(process: TestProcess, instance: String)]>([])
    private static let registration: Int32 = atexit {
        for isolator in TestIsolators.started.withLock({ $0 }) {
            try? IsolationConnection(path: "/run/soulbox/\(isolator.instance)/isolator.sock").stopAllSandboxes()
            isolator.process.signal(SIGTERM)
            _ = isolator.process.waitForExit(seconds: 10)
            try? FileManager.default.removeItem(atPath: "/run/soulbox/\(isolator.instance)")
            try? FileManager.default.removeItem(atPath: "/var/lib/soulbox/test-\(isolator.instance)")
        }
    }

    static func add(_ process: TestProcess, _ instance: String) {
        _ = registration
        started.withLock { $0.append((process, instance)) }
    }
}
