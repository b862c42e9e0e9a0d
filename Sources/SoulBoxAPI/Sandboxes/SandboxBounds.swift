/// The bounds of a sandbox's resources, and what one has that asks for nothing.
struct SandboxBounds: Sendable, Equatable {
    /// Bytes.
    let memory: ClosedRange<Int64> = 16 << 20...8 << 30
    /// Bytes of one that asks for nothing.
    let defaultMemory: Int64 = 512 << 20
    /// Thousandths of a core, up to all cores of this machine.
    let cpu: ClosedRange<Int>
    /// Thousandths of a core of one that asks for nothing.
    let defaultCPU: Int
    /// Bytes.
    let disk: ClosedRange<Int64> = 16 << 20...64 << 30
    /// Bytes of one that asks for nothing.
    let defaultDisk: Int64 = 1 << 30
    /// Processes and threads.
    let processes = 512
    /// Seconds of life: up to ten years.
    let ttl: ClosedRange<Int64> = 1...315_360_000
    /// Seconds of idleness.
    let idle: ClosedRange<Int64> = 1...31_536_000
    /// How many hosts may be allowed.
    let hosts = 200
    /// How many environment variables.
    let variables = 500
    /// Bytes of one variable.
    let variableBytes = 64 << 10
    /// Bytes of all variables together: they travel with each execution.
    let environmentBytes = 96 << 10
    /// Bytes of a body.
    let body = 1 << 20

    /// The bounds on a machine where a request to execute has those.
    init(_ execute: ExecuteLimits) {
        cpu = execute.cpu
        defaultCPU = min(1000, execute.cpu.upperBound)
    }
}
