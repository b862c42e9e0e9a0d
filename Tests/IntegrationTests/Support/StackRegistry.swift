import Foundation
import Synchronization
import TestProcess

/// The stacks that the tests have started; those that still run at the end of the process are ended then.
enum StackRegistry {
    private static let started = Mutex<[(process: TestProcess, home: String)]>([])
    private static let registration: Int32 = atexit {
        for stack in StackRegistry.started.withLock({ $0 }) {
            stack.process.signal(SIGTERM)
            _ = stack.process.waitForExit(seconds: 30)
            StackRegistry.removeFiles(stack.home)
        }
    }

    static func add(_ process: TestProcess, home: String) {
        _ = registration
        started.withLock { $0.append((process, home)) }
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
