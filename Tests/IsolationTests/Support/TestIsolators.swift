import Foundation
import Synchronization

/// The isolators that the tests have started; those that still run at the end of the process are ended then.
enum TestIsolators {
    private static let started = Mutex<[(pid: Int32, runDirectory: String)]>([])
    private static let registration: Int32 = atexit {
        for isolator in TestIsolators.started.withLock({ $0 }) {
            kill(isolator.pid, SIGTERM)
            var status: Int32 = 0
            for _ in 0..<500 where waitpid(isolator.pid, &status, WNOHANG) == 0 { usleep(20_000) }
            try? FileManager.default.removeItem(atPath: isolator.runDirectory)
        }
    }

    static func add(_ process: Int32, runDirectory: String) {
        _ = registration
        started.withLock { $0.append((process, runDirectory)) }
    }
}
