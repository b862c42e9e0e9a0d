internal import IsolationProtocol
internal import LinuxKernel
internal import Logging
internal import SoulBoxModel

/// Where the sandbox of an execution comes from: one that stands ready, or one made for it.
final class SandboxSupply: Sendable {
    /// Those that stand ready.
    let pool: ReadyPool
    private let sandboxes: OneShotSandboxes
    private let networks: SandboxNetworks

    init(
        _ settings: PoolSettings, sandboxes: OneShotSandboxes, persistent: ReadyPersistent, networks: SandboxNetworks,
        queue: ExecutionQueue, misses: PoolMisses, log: Logger
    ) {
        self.sandboxes = sandboxes
        self.networks = networks
        pool = ReadyPool(
            settings, sandboxes: sandboxes, persistent: persistent, queue: queue, misses: misses, log: log)
    }

    /// Begins to make sandboxes ahead, of every system image.
    func start(_ images: ImageStore) {
        PoolFiller(pool: pool) {
            images.all().map { image in
                (ReadyPool.Kind(image: image.name, program: SandboxSupply.program(of: image)), image)
            }
        }.start()
    }

    /// A sandbox for that call.
    ///
    /// - Parameter isCompiled: Whether no compiler is wanted in it.
    func take(for call: ExecuteCall, image: Image, isCompiled: Bool) throws -> ReadySandbox {
        if call.network.enabled { try networks.requireAvailable() }
        let found =
            try takeReady(for: call, image, isCompiled)
            ?? ReadySandbox(
                sandbox: sandboxes.make(OneShotSandboxes.spec(call.limits, of: image, network: call.network)),
                program: nil)
        guard found.program == nil, !isCompiled, let program = SandboxSupply.program(of: image, for: call),
            !program.isCompiler
        else { return found }
        var forked = try sandboxes.fork(program, into: found.sandbox, call.limits)
        guard forked.sandbox === found.sandbox else { return forked }
        // Nothing can be forked: what stands there is the next best.
        guard forked.program != nil else { return found }
        // What stands there ends, but is held: as long as it lives PID 1 ends with its connection.
        found.blank?.dismiss()
        forked.dismissed = found.blank
        return forked
    }

    private func takeReady(for call: ExecuteCall, _ image: Image, _ isCompiled: Bool) -> ReadySandbox? {
        var kinds = [ReadyPool.Kind(image: image.name)]
        if !isCompiled, let program = SandboxSupply.program(of: image, for: call) {
            kinds.insert(ReadyPool.Kind(image: image.name, program: program), at: 0)
        }
        if call.network.enabled {
            // One without is given its network when it is taken, which takes less time than making one does.
            kinds = kinds.map { ReadyPool.Kind(image: $0.image, program: $0.program, hasNetwork: true) } + kinds
        }
        // Half of the way is better than none; but what was missing is the first kind.
        for (number, kind) in kinds.enumerated() {
            guard let ready = pool.take(kind, of: image, isDemand: number == 0) else { continue }
            do {
                let spec = OneShotSandboxes.spec(
                    call.limits, of: image, id: ready.sandbox.spec.id, network: call.network)
                let resized = try ready.resized(
                    to: spec, isCompiled ? call.limits : OneShotSandboxes.compilerLimits(image, call.limits))
                if call.network.enabled { try resized.sandbox.connect(to: call.network, as: spec.id, networks) }
                return resized
            } catch {
                // A limit that what waits in it already exceeds, for one.
                sandboxes.discard(ready.sandbox)
                return nil
            }
        }
        return nil
    }

    /// The program that can wait in persistent sandboxes of an image for an execution; nil when there is none.
    ///
    /// PID 1 starts it and not a zygote: all processes of a persistent sandbox descend from its PID 1.
    ///
    /// - Parameter call: One that it is to be like.
    static func programInPersistent(
        of image: Image, like call: ExecuteCall? = nil, limits: ExecutionLimits
    ) -> PrestartedProgram.Command? {
        // As the text of an execution in such a sandbox is named, by nobody's wish.
        let file = ".\(SandboxName.make().suffix(12))-\(image.manifest.programFile)"
        guard var command = program(of: image, for: call, standard: limits, file: file), !command.isCompiler else {
            return nil
        }
        command.isForked = false
        return command
    }

    /// The program that can wait in sandboxes of an image, as it is started for a call; nil when there is none, or when the
    /// call needs one of its own.
    ///
    /// - Parameters:
    ///   - standard: What it is started with when nobody has called yet.
    ///   - file: The name of its text; nil is the call's, or the image's.
    static func program(
        of image: Image, for call: ExecuteCall? = nil, standard: ExecutionLimits = ExecutionLimits(),
        file: String? = nil
    ) -> PrestartedProgram.Command? {
        // What a user's template has added would run before there is anything to run.
        guard image.layer == nil else { return nil }
        let limits = call?.limits ?? standard
        let stage = image.manifest.compile
        let command = stage?.command ?? image.manifest.run
        guard let prestart = command.prestart else { return nil }
        if let call {
            // Limits of the process itself, which cannot be raised from outside.
            guard limits.processes == standard.processes else { return nil }
            guard stage != nil || prestart.allows(call.environment) else { return nil }
        }
        let stageLimits = OneShotSandboxes.compilerLimits(image, limits)
        let line = CommandLine(
            entrypoint: file ?? call?.entrypoint ?? image.manifest.programFile, build: CommandLine.buildDirectory,
            memoryBytes: stageLimits.memoryBytes, cpuMillicores: stageLimits.cpuMillicores)
        var arguments = line.arguments(of: command)
        arguments.insert(contentsOf: prestart.options, at: 1)
        return PrestartedProgram.Command(
            entrypoint: line.entrypoint, arguments: arguments,
            environment: line.environment(of: command, template: image.manifest.environment, request: image.variables),
            isCompiler: stage != nil,
            // What a privileged process is started with holds nothing that a tenant has written.
            isForked: prestart.isForked && line.entrypoint == image.manifest.programFile)
    }
}
