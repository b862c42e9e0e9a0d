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

    /// The program that waits for the sandbox's next execution, for the caller alone; nil when there is none.
    func takeWaiting() -> PrestartedProgram? {
        // One that starts just now is there sooner than another would be, and is in nobody's way afterwards.
        _ = state.wait(until: MonotonicClock.now + ManagedSandbox.startPatience) { $0.isStartingWaiting ? nil : true }
        return state.update { state in
            defer { state.waiting = nil }
            return state.waiting
        }
    }

    /// Ends that program: before anything happens that might change how one starts, and before anybody looks at the sandbox
    /// as a whole.
    func endWaiting() { takeWaiting()?.started.end() }

    /// Ends that program if it is this one.
    func endWaiting(_ program: PrestartedProgram) {
        let isIt = state.update { state -> Bool in
            guard state.waiting === program else { return false }
            state.waiting = nil
            return true
        }
        if isIt { program.started.end() }
    }

    /// Starts the program that is to wait for the next execution, and gives it; nil when this is no moment for it: something
    /// runs in the sandbox or changes it, one waits already, there is little memory left, or its start would run code of the
    /// user's, which only executions and background processes do.
    ///
    /// It starts as the next execution's own would. Files that come until then are looked at when it gets its work.
    func startWaiting(
        _ command: PrestartedProgram.Command, _ limits: ExecutionLimits, _ filters: SeccompFilters
    ) throws -> PrestartedProgram? {
        let claimed = state.update { state -> (sandbox: Sandbox, limits: SandboxLimits)? in
            guard let sandbox = state.sandbox, state.waiting == nil, state.entries.isEmpty, !state.isChanging,
                !state.isRemoved
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
            !hasUserPackages(claimed.sandbox)
        else { return nil }
        let program = try PrestartedProgram(
            command, in: claimed.sandbox, limits: limits, diskBytes: claimed.limits.diskBytes, filters: filters,
            isAhead: true, patience: ManagedSandbox.startPatience)
        // Last: whoever takes it finds it whole, and until then nobody else changes the sandbox.
        let isInTime = state.update { state -> Bool in
            // It may have died, or been killed by its operator.
            guard state.sandbox === claimed.sandbox else { return false }
            state.waiting = program
            return true
        }
        guard isInTime else {
            program.started.end()
            return nil
        }
        return program
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
