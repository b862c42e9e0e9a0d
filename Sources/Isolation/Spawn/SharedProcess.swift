internal import LinuxKernel

/// A child process that several owners refer to, by pidfd and never by pid.
final class SharedProcess: Sendable {
    private let process: ProcessDescriptor

    init(_ process: consuming ProcessDescriptor) { self.process = process }

    /// What to poll for the exit.
    var pollDescriptor: CInt { process.rawValue }

    /// Sends a signal; one that has ended already is no error.
    func signal(_ number: CInt) { try? process.signal(number) }

    /// Waits for the exit and collects it. Once only.
    func reap() { _ = try? process.waitForExit() }
}
