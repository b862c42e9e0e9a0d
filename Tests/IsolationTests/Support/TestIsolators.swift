import Foundation
import Synchronization
import TestProcess

/// The isolators that the tests have started; those that still run at the end of the process are ended then.
enum TestIsolators {
    private static let started = Mutex<[(process: TestProcess, runDirectory: String)]>([])
    private static let registration: Int32 = atexit {
        for isolator in TestIsolators.started.withLock({ $0 }) {
            isolator.process.signal(SIGTERM)
            _ = isolator.process.waitForExit(seconds: 10)
            try? FileManager.default.removeItem(atPath: isolator.runDirectory)
        }
    }

    static func add(_ process: TestProcess, runDirectory: String) {
        _ = registration
        started.withLock { $0.append((process, runDirectory)) }
    }
}
