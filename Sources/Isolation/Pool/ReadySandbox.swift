internal import LinuxKernel
internal import SoulBoxModel

/// A sandbox that stands complete before anybody asks for it, perhaps with a program in it that waits for its work, or with a
/// process that stands before its exec.
struct ReadySandbox: Sendable {
    /// The sandbox.
    let sandbox: Sandbox
    /// What waits in it; nil in one where a program is yet to be started.
    let program: PrestartedProgram?
    /// What stands in it for the first stage; nil where a program waits for that, and where nothing does.
    var blank: BlankProcess?
    /// What stood in it and ends, for as long as that takes.
    var dismissed: BlankProcess?

    /// Whether it or its program has ended.
    var isDead: Bool { program?.isDead == true || sandbox.process.hasExited }

    /// Gives it the limits of an execution in place of those that it was made with.
    ///
    /// - Parameter limits: Those of the execution's first stage.
    func resized(to spec: SandboxSpec, _ limits: ExecutionLimits) throws(SandboxError) -> ReadySandbox {
        let before = sandbox.spec.cpuMillicores
        var result = self
        // v1 refuses a leaf with more processor time than its group: whichever gets less comes first.
        if spec.cpuMillicores < before { try result.resizeProgram(limits, before, ceiling: spec.cpuMillicores) }
        let resized = try sandbox.resized(to: spec)
        if spec.cpuMillicores >= before { try result.resizeProgram(limits, before, ceiling: spec.cpuMillicores) }
        return ReadySandbox(sandbox: resized, program: program, blank: result.blank)
    }

    private mutating func resizeProgram(
        _ limits: ExecutionLimits, _ before: Int, ceiling: Int
    ) throws(SandboxError) {
        blank = try blank?.resized(to: limits, before: before, ceiling: ceiling)
        guard let program else { return }
        let wanted = StartedProgram.limits(limits, cpuCeiling: ceiling)
        guard wanted != StartedProgram.limits(program.limits, cpuCeiling: before) else { return }
        try step(.cgroupAttach) { () throws(SystemCallError) in try program.started.leaf.set(wanted) }
    }
}
