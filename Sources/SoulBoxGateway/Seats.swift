internal import NIOCore
internal import SoulBoxStore
internal import Synchronization

/// Who is connected, by key: counts connections, and ends those of keys that are good no more.
final class Seats: Sendable {
    private struct State {
        var total = 0
        var byKey: [[UInt8]: [ObjectIdentifier: any Channel]] = [:]
    }

    private let limits: GatewayLimits
    private let state = Mutex(State())

    init(_ limits: GatewayLimits) { self.limits = limits }

    /// Takes a seat for a connection of that caller's, until it is closed; false when there is none.
    func take(_ caller: Caller, _ channel: any Channel) -> Bool {
        let (key, name) = (caller.keyID, ObjectIdentifier(channel))
        let isTaken = state.withLock { state in
            guard state.total < limits.connections, state.byKey[key]?.count ?? 0 < limits.connectionsPerKey else {
                return false
            }
            state.total += 1
            state.byKey[key, default: [:]][name] = channel
            return true
        }
        if isTaken { channel.closeFuture.whenComplete { [self] _ in leave(key, name) } }
        return isTaken
    }

    private func leave(_ key: [UInt8], _ name: ObjectIdentifier) {
        state.withLock { state in
            guard state.byKey[key]?.removeValue(forKey: name) != nil else { return }
            state.total -= 1
            if state.byKey[key]?.isEmpty == true { state.byKey[key] = nil }
        }
    }

    /// The keys that have connections.
    var keys: [[UInt8]] { state.withLock { Array($0.byKey.keys) } }

    /// Ends the connections of those keys.
    func end(_ keys: Set<[UInt8]>) {
        let channels = state.withLock { state in keys.flatMap { state.byKey[$0].map { Array($0.values) } ?? [] } }
        for channel in channels { channel.pipeline.fireUserInboundEventTriggered(RevokedEvent()) }
    }
}

/// The key that the connection was opened with is good no more.
struct RevokedEvent: Sendable {}
