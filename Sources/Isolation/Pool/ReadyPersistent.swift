internal import IsolationProtocol
internal import LinuxKernel
internal import SoulBoxModel
internal import Synchronization

/// Makes sandboxes that are to become persistent ones before anybody asks for them, and removes those that never do.
///
/// The disk of one is a file among those that stand ready, its group has a name of its own, and no file says how it runs: the
/// next start of the service finds none of them, and removes all.
final class ReadyPersistent: Sendable {
    /// What they are made with: what the API gives a sandbox that asks for nothing. The disk cannot become smaller; everything
    /// else is set anew when one is taken.
    static let limits = SandboxLimits(
        memoryBytes: 512 << 20, cpuMillicores: 1000, processes: 512, diskBytes: ReadyDisks.size)

    /// What the program that waits in one is started with: what the API gives an execution in such a sandbox.
    static let executionLimits = ExecutionLimits(
        memoryBytes: limits.memoryBytes, cpuMillicores: limits.cpuMillicores, processes: limits.processes)

    private let builder: SandboxBuilder
    private let filters: SeccompFilters
    private let remover: SandboxRemover
    private let disks: ReadyDisks
    private let living = Counter()

    /// A number that the remover's threads lower.
    private final class Counter: Sendable {
        let value = Atomic(0)
    }

    init(builder: SandboxBuilder, remover: SandboxRemover, disks: ReadyDisks, filters: SeccompFilters) {
        self.filters = filters
        self.builder = builder
        self.remover = remover
        self.disks = disks
    }

    /// How many there are, those included that are being removed.
    var count: Int { living.value.load(ordering: .acquiring) }

    /// Makes one, with a network if there is to be one.
    func make(_ image: Image, network: SandboxNetwork) throws(SandboxError) -> ReadySandbox {
        let name = SandboxName.make()
        let disk = try disks.make(name)
        let sandbox: Sandbox
        do {
            sandbox = try builder.make(
                SandboxRecord(
                    id: name, account: "", image: image.name, limits: ReadyPersistent.limits, network: network
                )
                .spec(image, disk: disk))
        } catch {
            try? Files.removeTree(disk)
            throw error
        }
        living.value.wrappingAdd(1, ordering: .acquiringAndReleasing)
        do {
            // Whoever waits for an answer comes first.
            try step(.cgroupAttach) { () throws(SystemCallError) in try sandbox.group.group.setWeight(percent: 1) }
            return try start(in: sandbox)
        } catch {
            discard(ReadySandbox(sandbox: sandbox, program: nil))
            throw error
        }
    }

    /// Starts what waits for the sandbox's first execution.
    private func start(in sandbox: Sandbox) throws(SandboxError) -> ReadySandbox {
        let limits = ReadyPersistent.executionLimits
        let diskBytes = ReadyPersistent.limits.diskBytes
        guard let command = SandboxSupply.programInPersistent(of: sandbox.spec.image, limits: limits) else {
            let blank = try BlankProcess(
                in: sandbox, limits: limits, diskBytes: diskBytes, filters: filters,
                cpuCeiling: ReadyPersistent.limits.cpuMillicores)
            return ReadySandbox(sandbox: sandbox, program: nil, blank: blank)
        }
        let program = try PrestartedProgram(
            command, in: sandbox, limits: limits, diskBytes: diskBytes, filters: filters, isAhead: true)
        return ReadySandbox(sandbox: sandbox, program: program)
    }

    /// One has become somebody's.
    func release() { living.value.wrappingSubtract(1, ordering: .acquiringAndReleasing) }

    /// Removes one with its disk, in the background.
    func discard(_ ready: ReadySandbox) {
        let living = living
        guard case .image(let disk, _) = ready.sandbox.spec.disk else { return }
        // Nothing looks for it there; its blocks are freed when the sandbox is gone.
        try? Files.removeTree(disk)
        remover.remove(ready.sandbox) { living.value.wrappingSubtract(1, ordering: .acquiringAndReleasing) }
    }
}
