internal import Glibc
internal import SoulBoxModel

/// Decides why a program ended, when several reasons hold.
///
/// The order is that of the API: cancelled, timeout, oom, output_limit, process_limit, disk_limit, signal, exited; the
/// process and disk limits count only with a non-zero exit, since many programs meet one and carry on.
struct TerminationVerdict {
    /// The status of wait(2).
    let status: Int32
    /// What the isolator was asked to end it for, or ended it for itself.
    let asked: TerminationReason?
    /// Whether the kernel killed anything in its cgroup for memory.
    let outOfMemory: Bool
    /// Whether a fork was refused.
    let processLimitHits: Bool
    /// Whether no block or no inode is left.
    let diskIsFull: Bool

    private var signal: Int32? { status & 0x7F == 0 ? nil : status & 0x7F }

    /// The exit code; nil for a program that a signal ended.
    var exitCode: Int? { signal == nil ? Int(status >> 8 & 0xFF) : nil }

    /// Why it ended.
    var termination: Termination {
        let name = signal.map(SignalName.of)
        let isFailure = signal != nil || status != 0
        switch asked {
        case .cancelled: return Termination(reason: .cancelled, signal: name)
        case .timeout: return Termination(reason: .timeout, signal: name)
        case .lost: return Termination(reason: .lost, signal: name, detail: "the service was stopped")
        default: break
        }
        if outOfMemory || asked == .oom { return Termination(reason: .oom, signal: name) }
        if asked == .outputLimit { return Termination(reason: .outputLimit, signal: name) }
        if processLimitHits, isFailure { return Termination(reason: .processLimit, signal: name) }
        if diskIsFull, isFailure { return Termination(reason: .diskLimit, signal: name) }
        if let name { return Termination(reason: .signal, signal: name) }
        return Termination(reason: .exited)
    }
}
