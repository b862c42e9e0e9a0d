internal import LinuxKernel
internal import SoulBoxModel

/// A sandbox that stands complete before anybody asks for it, perhaps with a program in it that waits for its work.
struct ReadySandbox: Sendable {
    /// The sandbox.
    let sandbox: Sandbox
    /// What waits in it; nil in one where a program is yet to be started.
    let program: PrestartedProgram?

    /// Whether it or its program has ended.
    var isDead: Bool { program?.isDead == true || sandbox.process.hasExited }

    /// Gives it the limits of an execution in place of those that it was made with.
    func resized(to spec: SandboxSpec, _ limits: ExecutionLimits) throws(SandboxError) -> ReadySandbox {
        let before = sandbox.spec
        // v1 refuses a leaf with more processor time than its group: whichever gets less comes first.
        if spec.cpuMillicores < before.cpuMillicores { try resizeProgram(limits, ceiling: spec.cpuMillicores) }
        let resized = try sandbox.resized(to: spec)
        if spec.cpuMillicores >= before.cpuMillicores { try resizeProgram(limits, ceiling: spec.cpuMillicores) }
        return ReadySandbox(sandbox: resized, program: program)
    }

    private func resizeProgram(_ limits: ExecutionLimits, ceiling: Int) throws(SandboxError) {
        guard let program else { return }
        let wanted = StartedProgram.limits(limits, cpuCeiling: ceiling)
        guard wanted != StartedProgram.limits(program.limits, cpuCeiling: sandbox.spec.cpuMillicores) else { return }
        try step(.cgroupAttach) { () throws(SystemCallError) in try program.started.leaf.set(wanted) }
    }
}
