public import LinuxKernel

/// Why a sandbox could not be made, used or removed: the step, and what the kernel said.
public struct SandboxError: Error, Sendable, CustomStringConvertible {
    /// The step that failed.
    public let step: SandboxStep

    /// More on it, for the operator's log.
    public let detail: String

    /// The error number; 0 when it was no system call.
    public let errno: CInt

    /// A failed system call.
    public init(_ step: SandboxStep, errno: CInt, detail: String = "") {
        self.step = step
        self.errno = errno
        self.detail = detail
    }

    /// A failed system call.
    public init(_ step: SandboxStep, _ cause: SystemCallError) {
        self.init(step, errno: cause.errno, detail: cause.description)
    }

    /// Something else.
    public init(_ step: SandboxStep, _ detail: String) { self.init(step, errno: 0, detail: detail) }

    /// Step, and what went wrong.
    public var description: String { "\(step.name): " + (detail.isEmpty ? "errno \(errno)" : detail) }
}

/// Names the step of whatever system call fails in `body`.
func step<Result: ~Copyable>(
    _ step: SandboxStep, _ body: () throws(SystemCallError) -> Result
) throws(SandboxError) -> Result {
    do {
        return try body()
    } catch {
        throw SandboxError(step, error)
    }
}
