internal import IsolationProtocol
internal import LinuxKernel

/// The policies that soulbox-egress is told of, and the word that they have changed.
final class EgressFeed: Sendable {
    private struct State {
        var policies: [String: EgressPolicy] = [:]
        var version = 0
    }

    private let state = Monitor(State())

    /// Puts other policies in place.
    func replace(_ current: () -> [EgressPolicy]) {
        state.update { state in
            state.policies = Dictionary(current().map { ($0.sandbox, $0) }) { $1 }
            state.version += 1
        }
    }

    /// The policies once they are of another version, at the latest after that time. Nil when nothing has changed.
    func wait(after version: Int, milliseconds: UInt64) -> (version: Int, policies: [String: EgressPolicy])? {
        state.wait(until: MonotonicClock.now + milliseconds * 1_000_000) { state in
            state.version == version ? nil : (state.version, state.policies)
        }
    }
}
