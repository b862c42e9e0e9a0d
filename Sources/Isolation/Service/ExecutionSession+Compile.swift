internal import IsolationProtocol
internal import LinuxKernel
internal import SoulBoxModel

/// How a compile stage went, and what the compiler wrote.
struct CompiledStage {
    let outcome: StageOutcome
    let output: [UInt8]

    /// Whether there is a program to run.
    var isProgram: Bool { outcome.termination.reason == .exited && outcome.exitCode == 0 }
}

extension ExecutionSession {
    /// Compiles, where the image does; the compiler's output is handed on when it has ended.
    ///
    /// - Parameters:
    ///   - prestarted: A compiler that waits for its work.
    ///   - blank: What stands for the compiler; afterwards, what stands for the program.
    func compileStage(
        of image: Image, supervisor: StageSupervisor, build: String, diskBytes: Int64, prestarted: PrestartedProgram?,
        blank: inout BlankProcess?
    ) throws(SandboxError) -> CompiledStage? {
        guard let stage = image.manifest.compile, let output = call.compileOutput else { return nil }
        let limits = OneShotSandboxes.compilerLimits(image, call.limits)
        let line = CommandLine(
            entrypoint: call.entrypoint ?? image.manifest.programFile, build: build, memoryBytes: stage.memoryBytes,
            cpuMillicores: limits.cpuMillicores)
        let environment = line.environment(
            of: stage.command, template: image.manifest.environment, request: image.variables)
        let result: StageSupervisor.Result
        let written: SharedDescriptor
        // While the compiler has the processors: what the program is to run as need not be waited for then.
        let standing = blank
        func prepare() {
            blank = try? BlankProcess(
                in: supervisor.sandbox, limits: call.limits,
                diskBytes: max(diskBytes, ExecutionLimits.maximumDiskBytes), filters: isolator.filters,
                cpuCeiling: supervisor.cpuCeiling)
        }
        if let prestarted, let work = Handover(arguments: [], environment: environment, stdin: nil),
            try prestarted.begin(work)
        {
            written = prestarted.output[0]
            result = try supervisor.follow(prestarted, limits, meanwhile: prepare)
        } else {
            written = try CompileOutput.make(owner: supervisor.sandbox.slot)
            result = try supervisor.run(
                StageSupervisor.Program(
                    arguments: line.arguments(of: stage.command), environment: environment, limits: limits,
                    diskBytes: diskBytes, stdin: nil, stdout: written.rawValue, stderr: written.rawValue),
                as: standing, meanwhile: prepare)
        }
        let text = CompileOutput.read(written)
        CompileOutput.send(text, to: output)
        return CompiledStage(
            outcome: StageOutcome(
                termination: result.termination, exitCode: result.exitCode,
                wallTimeMicroseconds: result.wallTimeMicroseconds),
            output: text)
    }

    /// Puts what was compiled before into the sandbox, and tells of it as of a compiler that took no time.
    func install(_ program: CompiledProgram, in sandbox: Sandbox) throws -> StageOutcome {
        try program.install(in: sandbox)
        if let output = call.compileOutput { CompileOutput.send(program.output, to: output) }
        let outcome = StageOutcome(termination: Termination(reason: .exited), exitCode: 0, wallTimeMicroseconds: 0)
        try send(.compiled(outcome))
        return outcome
    }

    /// A compile stage that was cancelled cancels the execution; every other failure of it is a compile error.
    func compileTermination(_ stage: StageOutcome) -> Termination {
        switch stage.termination.reason {
        case .cancelled, .outputLimit: return stage.termination
        case .exited:
            return Termination(reason: .compileError, detail: "the compiler exited with \(stage.exitCode ?? 0)")
        default:
            return Termination(
                reason: .compileError, signal: stage.termination.signal,
                detail: "the compiler ended: \(stage.termination.reason.rawValue)")
        }
    }
}
