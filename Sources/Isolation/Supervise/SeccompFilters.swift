internal import LinuxSecurity

/// The two filters of every program, compiled once.
struct SeccompFilters: Sendable {
    /// Which system calls exist.
    let numbers: SeccompProgram
    /// Which arguments they may have.
    let arguments: SeccompProgram

    /// Compiles both.
    init() throws(SandboxError) {
        do {
            numbers = try SeccompPolicy.numbers()
            arguments = try SeccompPolicy.arguments()
        } catch {
            throw SandboxError(.program(0), "seccomp: \(error)")
        }
    }
}
