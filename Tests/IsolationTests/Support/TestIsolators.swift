import Foundation
import Synchronization

/// The isolators that the tests have started; those that still run at the end of the process are ended then.
enum TestIsolators {
    private static let started = Mutex<[Int32]>([])
    private static let registration: Int32 = atexit {
        TestIsolators.started.withLock { $0.forEach { kill($0, SIGTERM) } }
    }

    static func add(_ process: Int32) {
        _ = registration
        started.withLock { $0.append(process) }
    }
}
