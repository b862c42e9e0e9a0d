internal import IsolationProtocol
internal import LinuxKernel
internal import SoulBoxModel

extension ManagedSandbox {
    /// What must be left of the sandbox's memory for a program to wait in it, in bytes.
    private static let waitingMemory: UInt64 = 64 << 20
    /// How long is waited for one that starts, in nanoseconds.
    private static let startPatience: UInt64 = 2_000_000_000
    /// Where an interpreter's start finds what a user has installed for himself (site.USER_BASE).
    private static let userPackages = ".local/lib"

    /// What waits for the sandbox's next execution, for the caller alone; nil when nothing does.
    func takeWaiting() -> WaitingProcess? {
        // One that starts just now is there sooner than another would be, and is in nobody's way afterwards.
        _ = state.wait(until: MonotonicClock.now + ManagedSandbox.startPatience) { $0.isStartingWaiting ? nil : true }
        return state.update { state in
            defer { state.waiting = nil }
            return state.waiting
        }
    }

    /// Ends what waits: before anything happens that might change how one starts, and before anybody looks at the sandbox
    /// as a whole.
    func endWaiting() { takeWaiting()?.started.end() }

    /// Ends what waits if it is this one.
    func endWaiting(_ process: StartedProgram) {
        let isIt = state.update { state -> Bool in
            guard state.waiting?.started === process else { return false }
            state.waiting = nil
            return true
        }
        if isIt { process.end() }
    }

    /// Starts what is to wait for the next execution, and gives it; nil when this is no moment for it: something runs in the
    /// sandbox or changes it, one waits already, there is little memory left, or its start would run code of the user's,
    /// which only executions and background processes do.
    ///
    /// An interpreter starts as the next execution's own would. Files that come until then are looked at when it gets its work.
    ///
    /// - Parameter command: The interpreter; nil has a process stand before its exec.
    func startWaiting(
        _ command: PrestartedProgram.Command?, _ limits: ExecutionLimits, _ filters: SeccompFilters
    ) throws -> WaitingProcess? {
        let claimed = state.update { state -> (sandbox: Sandbox, limits: SandboxLimits)? in
            guard let sandbox = state.sandbox, state.waiting == nil, state.entries.isEmpty, !state.isChanging,
                !state.isRemoved, state.unfit !== sandbox
            else { return nil }
            state.isChanging = true
            state.isStartingWaiting = true
            return (sandbox, state.record.limits)
        }
        guard let claimed else { return nil }
        defer {
            state.update { state in
                state.isStartingWaiting = false
                state.isChanging = false
            }
        }
        let group = claimed.sandbox.group.group
        guard case .list(let programs) = try claimed.sandbox.connect().ask(InitMessage.list),
            programs.allSatisfy({ $0.status != nil }),
            try group.memoryInUse() + ManagedSandbox.waitingMemory <= UInt64(claimed.limits.memoryBytes),
            command == nil || !hasUserPackages(claimed.sandbox)
        else { return nil }
        let process: WaitingProcess
        do {
            process = try ManagedSandbox.process(command, in: claimed.sandbox, limits, claimed.limits, filters)
        } catch {
            // What runs in it may see to that: nobody waits for it twice.
            state.update { $0.unfit = claimed.sandbox }
            throw error
        }
        // Last: whoever takes it finds it whole, and until then nobody else changes the sandbox.
        let isInTime = state.update { state -> Bool in
            // It may have died, or been killed by its operator.
            guard state.sandbox === claimed.sandbox else { return false }
            state.waiting = process
            return true
        }
        guard isInTime else {
            process.started.end()
            return nil
        }
        return process
    }

    private static func process(
        _ command: PrestartedProgram.Command?, in sandbox: Sandbox, _ limits: ExecutionLimits, _ whole: SandboxLimits,
        _ filters: SeccompFilters
    ) throws(SandboxError) -> WaitingProcess {
        guard let command else {
            return .blank(
                try BlankProcess(
                    in: sandbox, limits: limits, diskBytes: whole.diskBytes, filters: filters,
                    cpuCeiling: whole.cpuMillicores))
        }
        return .program(
            try PrestartedProgram(
                command, in: sandbox, limits: limits, diskBytes: whole.diskBytes, filters: filters, isAhead: true,
                patience: startPatience))
    }

    /// Whether there are any, or nobody knows.
    private func hasUserPackages(_ sandbox: Sandbox) -> Bool {
        do throws(IsolationError) {
            _ = try SandboxFiles(sandbox).entry(ManagedSandbox.userPackages)
            return true
        } catch {
            return error.code != .notFound
        }
    }
}
