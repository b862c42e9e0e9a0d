import Glibc
import LinuxKernel
import SoulBoxModel

/// A process of the stack under the supervisor's eyes.
final class ManagedProcess {
    /// What it is for, as `worker-execution-1`.
    let name: String
    /// How to start it.
    let spawn: Spawn
    /// The signal that asks it to end in good order.
    let stopSignal: CInt

    private(set) var pid: Int32 = 0
    private(set) var startedAt: UInt64 = 0
    private(set) var restarts = 0
    private var process: SharedDescriptorProcess?
    private var policy = RestartPolicy()
    private var restartAt: UInt64?

    init(name: String, spawn: Spawn, stopSignal: CInt = SIGTERM) {
        self.name = name
        self.spawn = spawn
        self.stopSignal = stopSignal
    }

    /// Whether it runs.
    var isRunning: Bool { process.map { !$0.hasExited } ?? false }

    /// Starts it.
    func start() throws(SystemCallError) {
        let started = try spawn.start()
        pid = started.pid
        process = SharedDescriptorProcess(started.takeProcess())
        startedAt = MonotonicClock.now
        restartAt = nil
    }

    /// Looks after it: notices its end and starts it again when its pause is over. Returns what happened, for the log.
    func tend() -> String? {
        if let process, process.hasExited {
            endGroup()
            let status = process.reap()
            self.process = nil
            let lived = Int((MonotonicClock.now - startedAt) / 1_000_000)
            let pause = policy.next(livedMilliseconds: lived)
            restartAt = MonotonicClock.now + UInt64(pause) * 1_000_000
            return "ended (\(status)) after \(lived) ms; it is started again in \(pause) ms"
        }
        guard process == nil, let restartAt, MonotonicClock.now >= restartAt else { return nil }
        restarts += 1
        do {
            try start()
            return "started again"
        } catch {
            self.restartAt = MonotonicClock.now + UInt64(policy.next(livedMilliseconds: 0)) * 1_000_000
            return "cannot be started: \(error)"
        }
    }

    /// Sends a signal, if it runs.
    func signal(_ number: CInt) { process?.signal(number) }

    /// Ends it: asks, waits at most that many seconds, then kills.
    func stop(within seconds: UInt64) {
        restartAt = nil
        guard let process else { return }
        process.signal(stopSignal)
        let deadline = MonotonicClock.now + seconds * 1_000_000_000
        while !process.hasExited, MonotonicClock.now < deadline { usleep(10_000) }
        process.signal(SIGKILL)
        while !process.hasExited { usleep(1000) }
        endGroup()
        _ = process.reap()
        self.process = nil
    }

    /// Ends what the process has left in its session, such as nginx's workers, which would keep its ports.
    ///
    /// Before it is reaped: until then its pid, which names the group, belongs to nobody else.
    private func endGroup() { kill(-pid, SIGKILL) }

    /// What `soulbox status` shows.
    var state: JSONValue {
        [
            "name": .string(name), "pid": .integer(Int64(pid)), "running": .bool(isRunning),
            "restarts": JSONValue(restarts), "birth": JSONValue(ProcessTable.birth(of: pid)),
        ]
    }
}

/// A pidfd that an object can hold.
final class SharedDescriptorProcess {
    private let process: ProcessDescriptor

    init(_ process: consuming ProcessDescriptor) { self.process = process }

    var hasExited: Bool { process.hasExited }
    func signal(_ number: CInt) { try? process.signal(number) }

    func reap() -> String {
        guard let status = try? process.waitForExit() else { return "unknown" }
        return "\(status)"
    }
}
