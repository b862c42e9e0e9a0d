internal import LinuxKernel

/// Counts the connections to a sandbox's PID 1, and can shut it to new ones: CRIU cannot hold a socket whose other end is
/// outside.
final class SandboxDoor: Sendable {
    private let state = Monitor((open: 0, isShut: false))

    /// A connection's passage; it ends with this object.
    final class Passage: Sendable {
        private let door: SandboxDoor

        fileprivate init(_ door: SandboxDoor) { self.door = door }

        deinit { door.state.update { $0.open -= 1 } }
    }

    /// Whether somebody wants all connections to end: whoever only waits on one lets go.
    var isShut: Bool { state.read { $0.isShut } }

    /// Lets a connection through, as soon as the door is open; nil when it stays shut until the deadline.
    func pass(until deadline: UInt64) -> Passage? {
        let passed = state.wait(until: deadline) { state -> Bool? in
            guard !state.isShut else { return nil }
            state.open += 1
            return true
        }
        return passed == true ? Passage(self) : nil
    }

    /// A passage while the door is shut, for whoever has shut it.
    func passInside() -> Passage {
        state.update { $0.open += 1 }
        return Passage(self)
    }

    /// Shuts the door and waits until nobody is inside; false, and open again, when somebody is after the deadline.
    func shut(until deadline: UInt64) -> Bool {
        let isMine = state.wait(until: deadline) { state -> Bool? in
            guard !state.isShut else { return nil }
            state.isShut = true
            return true
        }
        guard isMine == true else { return false }
        if state.wait(until: deadline, for: { $0.open == 0 ? true : nil }) == true { return true }
        open()
        return false
    }

    /// Opens it.
    func open() { state.update { $0.isShut = false } }
}
