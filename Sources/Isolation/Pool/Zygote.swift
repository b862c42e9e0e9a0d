internal import Glibc
internal import LinuxKernel
internal import SoulBoxModel
internal import Synchronization

/// A started interpreter of an image that is only ever forked: each program's process begins as a copy of it, in a sandbox
/// of its own.
///
/// It lives outside of every sandbox, in a root of its own that is the image's and read-only, in a network namespace without
/// a link, as the host's root without any capability: as the owner of a sandbox's user namespace it has them in there, and nowhere
/// else. Nothing that a tenant has written reaches it, not even the name of a file. What runs between its
/// fork and the program's filters is C (`CZygote`). The seed of hashes, the addresses and the stack's canary are the same in
/// all its forks, which is why it is made anew before long.
final class Zygote: Sendable {
    /// How many programs one serves.
    private static let maximumForks = 256
    /// For how long, from the first on, in nanoseconds.
    private static let lifetime: UInt64 = 60_000_000_000

    /// The socket; nil when it is told nothing more.
    private let control: Mutex<SharedDescriptor?>
    private let process: SharedProcess
    private let group: any Cgroup
    /// When it was; the end of time before.
    private let firstFork = Atomic(UInt64.max)
    private let forks = Atomic(0)

    /// Starts one.
    ///
    /// - Parameters:
    ///   - layers: The layers of its root, the topmost first.
    ///   - root: An empty directory, where the root is put together.
    init(
        _ command: PrestartedProgram.Command, layers: [String], root: String, limits: [InitMessage.ResourceLimit],
        group: any Cgroup, processes: ProcessFilesystem
    ) throws(SandboxError) {
        self.group = group
        let own: SharedDescriptor
        do {
            let sockets = try step(.clone) { () throws(SystemCallError) in
                try UnixSocket.pair(kind: .sequencedPacket).shared()
            }
            own = sockets.first
            process = try withExtendedLifetime(sockets.second) { () throws(SandboxError) in
                try Zygote.start(
                    command, layers: layers, root: root, limits: limits, group: group,
                    control: sockets.second.rawValue, processes: processes)
            }
        } catch {
            try? SandboxCgroups.remove(group)
            throw error
        }
        // Filters and limits come in one packet; the default buffer holds 208 KiB with overhead.
        try? UnixSocket.setSendBuffer(bytes: 1 << 20, on: own.rawValue)
        // One that hangs must hold nobody up: what it does not take fails.
        try? Pipe.makeNonBlocking(own.rawValue)
        control = Mutex(own)
    }

    private static func start(
        _ command: PrestartedProgram.Command, layers: [String], root: String, limits: [InitMessage.ResourceLimit],
        group: any Cgroup, control: CInt, processes: ProcessFilesystem
    ) throws(SandboxError) -> SharedProcess {
        // Of the kinds that programs have, since an interpreter looks at its streams when it starts.
        let output = try step(.clone) { () throws(SystemCallError) in try Pipe.make() }
        let input = try step(.clone) { () throws(SystemCallError) in try SealedFile.make(name: "stdin", contents: []) }
        let home = try step(.cgroupAttach) { () throws(SystemCallError) in try group.openForClone() }
        let environment =
            command.environment + [
                .init(name: "SOULBOX_PRESTART", value: "1"), .init(name: "SOULBOX_ZYGOTE", value: "1"),
            ]
        let child = try step(.clone) { () throws(SystemCallError) in
            try ZygoteClone.start(
                ZygoteClone.Spec(
                    layers: layers, root: root, directory: "/workspace", arguments: command.arguments,
                    environment: environment.map { ($0.name, $0.value) },
                    limits: limits.map { ($0.resource, $0.soft, $0.hard) }),
                streams: (input.rawValue, output.second.rawValue, output.second.rawValue), control: control,
                cgroup: home.rawValue)
        }
        let pid = child.pid
        let process = SharedProcess(child.takeProcess())
        do {
            try step(.cgroupAttach) { () throws(SystemCallError) in try group.attach(pid: pid) }
            // As sandboxes: its children inherit it.
            try step(.oomScore) { () throws(SystemCallError) in try processes.write(pid, "oom_score_adj", "500") }
        } catch {
            process.signal(SIGKILL)
            _ = process.reap(until: MonotonicClock.now + 10_000_000_000)
            throw error
        }
        return process
    }

    /// Whether it has ended.
    var isDead: Bool { process.hasExited }

    /// Whether it was ever asked for a fork.
    var isUsed: Bool { forks.load(ordering: .relaxed) > 0 }

    /// Whether another one is to take its place.
    var isSpent: Bool {
        forks.load(ordering: .relaxed) >= Zygote.maximumForks || isDead
            || MonotonicClock.elapsed(from: firstFork.load(ordering: .relaxed), to: MonotonicClock.now)
                > Zygote.lifetime
    }

    /// Asks for a fork of it in a sandbox, where PID 1 becomes the parent; `awaitFork` tells what came of it.
    ///
    /// - Parameters:
    ///   - connection: The process's end of its connection.
    ///   - descriptors: Three streams, and two for the handover.
    func fork(
        _ start: InitMessage.Start, into sandbox: Sandbox, connection: CInt, descriptors: [CInt]
    ) throws(SandboxError) {
        if forks.wrappingAdd(1, ordering: .relaxed).oldValue == 0 {
            firstFork.store(MonotonicClock.now, ordering: .relaxed)
        }
        let packet = InitMessage.encode(start)
        let all = [sandbox.process.pollDescriptor, connection] + descriptors
        let sent = control.withLock { control in
            packet.withUnsafeBytes { bytes in
                Result { () throws(SystemCallError) in
                    guard let control else { throw SystemCallError(call: "sendmsg", errno: EPIPE) }
                    _ = try UnixSocket.send(bytes, descriptors: all, on: control.rawValue)
                }
            }
        }
        if case .failure(let error) = sent { throw SandboxError(.zygote, error) }
    }

    /// The pids of a forked process, in the host's namespace and in its own, when it stands in its final state and waits for "go".
    static func awaitFork(_ connection: InitConnection) throws(SandboxError) -> (hostPID: pid_t, pid: Int32) {
        switch try connection.next(milliseconds: 5000) {
        case .ready(let hostPID, let pid): return (hostPID, pid)
        case .failed(let number, let errno): throw SandboxError(.program(number), errno: errno)
        default: throw SandboxError(.zygote, "it gave no process")
        }
    }

    /// Ends it, when it has done what it was asked for, and removes its group.
    func end() {
        control.withLock { $0 = nil }
        if !process.reap(until: MonotonicClock.now + 2_000_000_000) {
            process.signal(SIGKILL)
            _ = process.reap(until: MonotonicClock.now + 10_000_000_000)
        }
        // What it has forked is on its way out of its group.
        _ = group.waitUntilEmpty(deadline: MonotonicClock.now + 5_000_000_000)
        try? SandboxCgroups.remove(group)
    }
}
