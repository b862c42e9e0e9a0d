internal import Glibc
package import LinuxKernel

/// A process of a test's: a service, or a command that a user would run.
///
/// It is told to end when this process ends, however that ends, so that a killed test run leaves nothing behind.
package final class TestProcess: Sendable {
    /// Its pid.
    package let pid: Int32
    private let status: Monitor<ExitStatus?>

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - log: a file that takes its standard output and error; nil throws them away.
    ///   - parentDeathSignal: what the kernel sends it when this process ends.
    package init(
        _ path: String, _ arguments: [String], environment: [String: String] = [:], log: String? = nil,
        user: UInt32 = 0, group: UInt32 = 0, directory: String = "/", parentDeathSignal: CInt = SIGTERM
    ) throws {
        let started = Monitor<Result<Int32, SystemCallError>?>(nil)
        let status = Monitor<ExitStatus?>(nil)
        // A thread of its own for as long as it runs: the signal is tied to the thread that starts it, and one of the
        // concurrency pool may end when it idles.
        WorkerThread.start(name: "test-process") {
            do throws(SystemCallError) {
                let file = try log.map { path throws(SystemCallError) in
                    SharedDescriptor(try Files.open(path, [.writeOnly, .create, .append], mode: 0o600))
                }
                let spawn = Spawn(
                    path: path, arguments: arguments, environment: environment.map { ($0.key, $0.value) },
                    directory: directory, log: file?.rawValue, user: user, group: group,
                    parentDeathSignal: parentDeathSignal)
                let process = try withExtendedLifetime(file) { () throws(SystemCallError) in try spawn.start() }
                started.update { $0 = .success(process.pid) }
                let result = try process.takeProcess().waitForExit()
                status.update { $0 = result }
            } catch {
                started.update { if $0 == nil { $0 = .failure(error) } }
                status.update { $0 = .exited(-1) }
            }
        }
        guard let result = started.wait(for: { $0 }) else { throw SystemCallError(call: "spawn", errno: ESRCH) }
        pid = try result.get()
        self.status = status
    }

    /// Sends it a signal, unless it has ended.
    package func signal(_ number: CInt) { if isRunning { kill(pid, number) } }

    /// Whether it has not ended yet.
    package var isRunning: Bool { status.read { $0 } == nil }

    /// Waits for its end. One that does not end within two minutes is killed: a test may fail, and must not hang.
    @discardableResult
    package func waitForExit() -> ExitStatus {
        if let status = waitForExit(seconds: 120) { return status }
        signal(SIGKILL)
        return waitForExit(seconds: 10) ?? .exited(-1)
    }

    /// Waits for its end, so long at most; nil when it still runs then.
    package func waitForExit(seconds: Double) -> ExitStatus? {
        status.wait(until: MonotonicClock.now + UInt64(seconds * 1_000_000_000)) { $0 }
    }
}
