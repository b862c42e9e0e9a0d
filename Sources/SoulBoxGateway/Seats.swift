internal import Synchronization

/// Who is connected: counts the connections of the process and of each key.
final class Seats: Sendable {
    private struct State {
        var total = 0
        var byKey: [[UInt8]: Int] = [:]
    }

    private let limits: GatewayLimits
    private let state = Mutex(State())

    init(_ limits: GatewayLimits) { self.limits = limits }

    /// Takes a seat for a key; false when there is none.
    func take(_ key: [UInt8]) -> Bool {
        state.withLock { state in
            guard state.total < limits.connections, state.byKey[key, default: 0] < limits.connectionsPerKey else {
                return false
            }
            state.total += 1
            state.byKey[key, default: 0] += 1
            return true
        }
    }

    /// Gives it back.
    func leave(_ key: [UInt8]) {
        state.withLock { state in
            state.total -= 1
            let left = state.byKey[key, default: 1] - 1
            state.byKey[key] = left > 0 ? left : nil
        }
    }
}
