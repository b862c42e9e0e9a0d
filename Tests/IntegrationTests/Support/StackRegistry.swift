import Foundation
import Synchronization

/// The stacks that the tests have started; those that still run at the end of the process are ended then.
enum StackRegistry {
    private static let started = Mutex<[(pid: Int32, home: String)]>([])
    private static let registration: Int32 = atexit {
        for stack in StackRegistry.started.withLock({ $0 }) {
            kill(stack.pid, SIGTERM)
            var status: Int32 = 0
            for _ in 0..<1500 where waitpid(stack.pid, &status, WNOHANG) == 0 { usleep(20_000) }
            StackRegistry.removeFiles(stack.home)
        }
    }

    static func add(_ pid: Int32, home: String) {
        _ = registration
        started.withLock { $0.append((pid, home)) }
    }

    static func removeFiles(_ home: String) {
        for link in ["run", "data"] {
            if let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(home)/\(link)") {
                try? FileManager.default.removeItem(atPath: target)
            }
        }
        try? FileManager.default.removeItem(atPath: home)
    }
}
