internal import LinuxKernel

extension ManagedSandbox {
    /// The program that waits for the sandbox's first execution, for the caller alone; nil when there is none, or none any
    /// more.
    func takeWaiting() -> PrestartedProgram? {
        state.update { state in
            defer { state.waiting = nil }
            return state.waiting
        }
    }

    /// Ends that program. It was started in a sandbox in which nothing had happened: before anything does that might change
    /// how one starts, and before anybody looks at the sandbox as a whole, it goes.
    func endWaiting() { takeWaiting()?.started.end() }
}
