internal import Glibc
internal import LinuxKernel

/// Carries input from those who follow an execution to its program, as fast as the program takes it.
///
/// For the thread that carries the execution out.
final class LiveInput {
    private let live: LiveExecution?
    private var writeEnd: SharedDescriptor?
    /// A terminal's input does not end by itself: the program is told by a character.
    private var isTerminal = false

    init(_ live: LiveExecution?, writeEnd: SharedDescriptor?) {
        self.live = live
        self.writeEnd = writeEnd
    }

    /// What poll(2) watches for room; -1, which it ignores, while nothing waits.
    var pollDescriptor: CInt { live?.hasInput == true ? writeEnd?.rawValue ?? -1 : -1 }

    /// Writes to a terminal from now on.
    func take(terminal: SharedDescriptor) {
        writeEnd = terminal
        isTerminal = true
    }

    /// The terminal, if it has one.
    var terminal: SharedDescriptor? { isTerminal ? writeEnd : nil }

    /// Writes as much as there is room for.
    func write() {
        guard let live, let writeEnd else { return }
        var isGone = false
        let isOver = live.drainInput { bytes in
            let count = bytes.withUnsafeBytes { Glibc.write(writeEnd.rawValue, $0.baseAddress, $0.count) }
            if count >= 0 { return count }
            // The program has closed its end: the rest is nobody's.
            isGone = errno != EAGAIN && errno != EINTR
            return isGone ? bytes.count : 0
        }
        guard isGone || isOver else { return }
        // End of transmission (termios(3), VEOF).
        if isTerminal, !isGone { _ = [UInt8(4)].withUnsafeBytes { Glibc.write(writeEnd.rawValue, $0.baseAddress, 1) } }
        self.writeEnd = isTerminal && !isGone ? writeEnd : nil
        if isTerminal { live.reopenInput() }
    }
}
