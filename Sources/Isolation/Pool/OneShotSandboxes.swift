internal import IsolationProtocol
internal import LinuxKernel
internal import SoulBoxModel
internal import Synchronization

/// Makes and removes the sandboxes that serve one execution.
final class OneShotSandboxes: Sendable {
    private let builder: SandboxBuilder
    private let remover: SandboxRemover
    private let filters: SeccompFilters
    let zygotes: Zygotes
    private let living = Counter()

    /// A number that the remover's threads lower.
    private final class Counter: Sendable {
        let value = Atomic(0)
    }

    init(builder: SandboxBuilder, remover: SandboxRemover, filters: SeccompFilters, zygotes: Zygotes) {
        self.zygotes = zygotes
        self.builder = builder
        self.remover = remover
        self.filters = filters
    }

    /// How many there are, those included that are being removed.
    var count: Int { living.value.load(ordering: .acquiring) }

    /// How many more sandboxes there can be.
    var freeSlots: Int { builder.slots.freeCount }

    /// What a sandbox for an execution with these limits is like.
    static func spec(
        _ limits: ExecutionLimits, of image: Image, id: String = SandboxName.make(), network: SandboxNetwork = .none
    ) -> SandboxSpec {
        let compile = image.manifest.compile
        return SandboxSpec(
            id: id, image: image,
            disk: .memory(
                bytes: max(limits.diskBytes, compile?.diskBytes ?? 0),
                inodes: compile == nil ? ExecutionLimits.inodes : ExecutionLimits.inodes * 4),
            // A compiler's files stay on the disk, which is memory, while the program runs.
            memoryBytes: limits.memoryBytes + (compile?.memoryBytes ?? 0),
            cpuMillicores: max(limits.cpuMillicores, compile == nil ? 0 : 1000),
            processes: max(limits.processes, compile == nil ? 0 : 256),
            sharedMemoryBytes: min(64 << 20, limits.memoryBytes / 2), network: network)
    }

    /// Makes one.
    func make(_ spec: SandboxSpec) throws(SandboxError) -> Sandbox {
        let sandbox = try builder.make(spec)
        living.value.wrappingAdd(1, ordering: .acquiringAndReleasing)
        return sandbox
    }

    /// Makes one that waits, with a program that waits in it if there is a command.
    ///
    /// - Parameter mayFork: Whether the program may be forked from a zygote.
    func makeReady(
        _ image: Image, _ command: PrestartedProgram.Command?, network: SandboxNetwork, mayFork: Bool = true
    ) throws(SandboxError) -> ReadySandbox {
        let limits = ExecutionLimits()
        let sandbox = try make(OneShotSandboxes.spec(limits, of: image, network: network))
        do {
            // Whoever waits for an answer comes first.
            try step(.cgroupAttach) { () throws(SystemCallError) in try sandbox.group.group.setWeight(percent: 1) }
            guard let command else {
                return ReadySandbox(sandbox: sandbox, program: nil, blank: try blank(in: sandbox, limits))
            }
            let isCompiler = command.isCompiler
            // The largest that a disk can be: a process cannot be given more later, and the disk itself has its limit.
            let diskBytes = isCompiler ? image.manifest.compile?.diskBytes ?? 0 : ExecutionLimits.maximumDiskBytes
            let zygote =
                !mayFork
                ? nil
                : zygotes.zygote(
                    of: image, command, limits: ProgramLimits.make(limits, diskBytes: diskBytes), mayMake: true)
            let program = try PrestartedProgram(
                command, in: sandbox,
                limits: isCompiler ? OneShotSandboxes.compilerLimits(image, limits) : limits, diskBytes: diskBytes,
                filters: filters, zygote: zygote, isAhead: true)
            return ReadySandbox(sandbox: sandbox, program: program)
        } catch {
            discard(sandbox)
            guard mayFork, command?.isForked == true, error.step != .posture else { throw error }
            // The zygote has ended meanwhile, for one.
            return try makeReady(image, command, network: network, mayFork: false)
        }
    }

    /// Has a process stand in a sandbox for the first stage of an execution.
    private func blank(in sandbox: Sandbox, _ limits: ExecutionLimits) throws(SandboxError) -> BlankProcess {
        let image = sandbox.spec.image
        return try BlankProcess(
            in: sandbox, limits: OneShotSandboxes.compilerLimits(image, limits),
            diskBytes: max(image.manifest.compile?.diskBytes ?? 0, ExecutionLimits.maximumDiskBytes), filters: filters,
            cpuCeiling: sandbox.spec.cpuMillicores)
    }

    /// Has a program forked into a sandbox that is there, in less time than a start takes; a sandbox alone where there is
    /// nothing to fork it from. The sandbox is gone when this fails.
    func fork(
        _ command: PrestartedProgram.Command, into sandbox: Sandbox, _ limits: ExecutionLimits
    ) throws(SandboxError) -> ReadySandbox {
        let ahead = ProgramLimits.make(ExecutionLimits(), diskBytes: ExecutionLimits.maximumDiskBytes)
        guard let zygote = zygotes.zygote(of: sandbox.spec.image, command, limits: ahead, mayMake: false) else {
            return ReadySandbox(sandbox: sandbox, program: nil)
        }
        do {
            let program = try PrestartedProgram(
                command, in: sandbox, limits: limits, diskBytes: limits.diskBytes, filters: filters, zygote: zygote,
                isAhead: false)
            return ReadySandbox(sandbox: sandbox, program: program)
        } catch {
            discard(sandbox)
            guard error.step != .posture else { throw error }
            // The zygote has ended, for one. No code of the user's has run, and none is to run where a fork may still come: PID 1
            // of another sandbox starts the program.
            var spec = sandbox.spec
            spec.id = SandboxName.make()
            return ReadySandbox(sandbox: try make(spec), program: nil)
        }
    }

    /// The limits of an image's compile stage.
    static func compilerLimits(_ image: Image, _ limits: ExecutionLimits) -> ExecutionLimits {
        guard let stage = image.manifest.compile else { return limits }
        return ExecutionLimits(
            timeoutMilliseconds: stage.timeoutSeconds * 1000, memoryBytes: stage.memoryBytes,
            cpuMillicores: max(limits.cpuMillicores, 1000), processes: 256)
    }

    /// Removes one in the background.
    func discard(_ sandbox: Sandbox) {
        let living = living
        remover.remove(sandbox) { living.value.wrappingSubtract(1, ordering: .acquiringAndReleasing) }
    }
}
