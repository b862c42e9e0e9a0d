internal import Glibc
internal import LinuxKernel
internal import SoulBoxModel

/// A program of the image that has started, and waits on a descriptor for its work. No code of a user has run in it.
final class PrestartedProgram: Sendable {
    /// What waits for it to be ready, in nanoseconds. A JVM that warms up on a busy machine takes seconds.
    static let patience: UInt64 = 30_000_000_000

    /// What it was started as.
    let command: Command
    /// Its process.
    let started: StartedProgram
    /// Where its output is read: standard output and standard error; the same for a compiler, whose output is a file.
    let output: [SharedDescriptor]
    /// What it may use.
    let limits: ExecutionLimits
    /// How large its files may become, in bytes.
    let diskBytes: Int64
    /// The processor time that its start took, in microseconds, which is not its work's.
    let startMicroseconds: UInt64
    private let input: SharedDescriptor
    private let handover: SharedDescriptor

    /// What it is started as.
    struct Command: Sendable, Hashable {
        /// The file that it is to run, below `/workspace`.
        var entrypoint: String
        var arguments: [String]
        var environment: [ExecutionSpec.Variable]
        /// Whether its output goes to a file, to be read when it has ended.
        var isCompiler: Bool
        /// Whether it can be forked from one that has started.
        var isForked = false
    }

    /// Starts it and waits until it waits.
    ///
    /// - Parameters:
    ///   - zygote: What it is forked from; nil has PID 1 start it.
    ///   - isAhead: Whether nobody waits for it yet.
    ///   - patience: How long its start may take, in nanoseconds.
    init(
        _ command: Command, in sandbox: Sandbox, limits: ExecutionLimits, diskBytes: Int64, filters: SeccompFilters,
        zygote: Zygote? = nil, isAhead: Bool, patience: UInt64 = PrestartedProgram.patience
    ) throws(SandboxError) {
        let slot = sandbox.slot
        self.command = command
        self.limits = limits
        self.diskBytes = diskBytes
        let input = try step(.supervise) { () throws(SystemCallError) in
            SharedDescriptor(try SealedFile(name: "stdin").unsealed())
        }
        self.input = input
        var writers: [SharedDescriptor] = []
        if command.isCompiler {
            let file = try CompileOutput.make(owner: slot)
            output = [file]
            writers = [file, file]
        } else {
            var readers: [SharedDescriptor] = []
            for _ in 0..<2 {
                let ends = try PrestartedProgram.pipe(owner: slot)
                try step(.supervise) { () throws(SystemCallError) in try Pipe.makeNonBlocking(ends.first.rawValue) }
                readers.append(ends.first)
                writers.append(ends.second)
            }
            output = readers
        }
        let work = try PrestartedProgram.pipe(owner: slot)
        let ready = try PrestartedProgram.pipe(owner: slot)
        handover = work.second
        let started = try withExtendedLifetime((writers, work, ready)) { () throws(SandboxError) in
            let program = StageSupervisor.Program(
                arguments: command.arguments,
                environment: command.environment + [.init(name: "SOULBOX_PRESTART", value: "1")], limits: limits,
                diskBytes: diskBytes, stdin: input.rawValue, stdout: writers[0].rawValue, stderr: writers[1].rawValue,
                isAhead: isAhead)
            let handover = (read: work.first.rawValue, write: ready.second.rawValue)
            guard let zygote else {
                return try StartedProgram(
                    program, in: sandbox, filters: filters, cpuCeiling: sandbox.spec.cpuMillicores, handover: handover)
            }
            return try StartedProgram(
                program, forkedFrom: zygote, in: sandbox, filters: filters, handover: handover)
        }
        self.started = started
        do throws(SandboxError) {
            try started.go()
            try PrestartedProgram.waitUntil(ready.first, started, patience)
            startMicroseconds = try step(.supervise) { () throws(SystemCallError) in
                try started.leaf.usage().cpuMicroseconds
            }
        } catch {
            // A persistent sandbox lives on, and would keep the program and its group.
            started.end()
            throw error
        }
    }

    private static func pipe(owner: UserSlot) throws(SandboxError) -> (
        first: SharedDescriptor, second: SharedDescriptor
    ) {
        try step(.supervise) { () throws(SystemCallError) in
            let ends = try Pipe.make().shared()
            // The program may open them anew, by /proc/self/fd.
            try Files.setOwner(of: ends.first.rawValue, user: owner.hostProgram, group: owner.hostProgram)
            return ends
        }
    }

    private static func waitUntil(
        _ ready: SharedDescriptor, _ started: StartedProgram, _ patience: UInt64
    ) throws(SandboxError) {
        var entries = [
            PollEntry(descriptor: ready.rawValue, events: .input),
            PollEntry(descriptor: started.connection.pollDescriptor, events: .input),
        ]
        _ = try step(.supervise) { () throws(SystemCallError) in
            try Poll.wait(&entries, timeout: CInt(patience / 1_000_000))
        }
        guard entries[1].returned.isEmpty, !entries[0].returned.isEmpty,
            (try? Files.read(from: ready.rawValue, count: 1)) == [UInt8(ascii: "R")]
        else { throw SandboxError(.supervise, "a program that is started ahead does not wait for its work") }
    }

    /// Whether it has ended: PID 1 says so, or nobody is left who could read of work.
    var isDead: Bool {
        var entries = [
            PollEntry(descriptor: started.connection.pollDescriptor, events: .input),
            PollEntry(descriptor: handover.rawValue, events: []),
        ]
        return (try? Poll.wait(&entries, timeout: 0)) != 0
    }

    /// Gives it its work.
    ///
    /// - Returns: Whether there was somebody to take it.
    func begin(_ work: Handover) throws(SandboxError) -> Bool {
        try step(.supervise) { () throws(SystemCallError) in
            if let stdin = work.stdin {
                let size = try Files.status(of: stdin).size
                try Files.copy(from: stdin, offset: 0, count: Int(size), to: input.rawValue)
            }
            try SealedFile.seal(input.rawValue)
            do throws(SystemCallError) {
                try Files.write(to: handover.rawValue, work.bytes)
                return true
            } catch  where error.errno == EPIPE {
                return false
            }
        }
    }
}
