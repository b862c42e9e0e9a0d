internal import NIOCore
internal import SoulBoxStore
internal import Synchronization

/// Who is connected, by key: counts connections, and ends those whose credentials are good no more.
final class Seats: Sendable {
    private struct Seat {
        let channel: any Channel
        let credential: Credential?
    }

    private struct State {
        var total = 0
        var byKey: [[UInt8]: [ObjectIdentifier: Seat]] = [:]
    }

    private let limits: GatewayLimits
    private let state = Mutex(State())

    init(_ limits: GatewayLimits) { self.limits = limits }

    /// Takes a seat for a connection of that caller's, until it is closed; false when there is none.
    ///
    /// - Parameter credential: What the caller was let in with.
    func take(_ caller: Caller, _ credential: Credential?, _ channel: any Channel) -> Bool {
        let (key, name) = (caller.keyID, ObjectIdentifier(channel))
        let isTaken = state.withLock { state in
            guard state.total < limits.connections, state.byKey[key]?.count ?? 0 < limits.connectionsPerKey else {
                return false
            }
            state.total += 1
            state.byKey[key, default: [:]][name] = Seat(channel: channel, credential: credential)
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

    /// What those who are connected were let in with.
    var credentials: Set<Credential> {
        state.withLock { Set($0.byKey.values.flatMap { $0.values.compactMap(\.credential) }) }
    }

    /// Ends the connections of those who were let in with one of these.
    func end(_ credentials: Set<Credential>) {
        let channels = state.withLock { state in
            Set(credentials.map(\.keyID)).flatMap { key in
                (state.byKey[key] ?? [:]).values.filter { $0.credential.map(credentials.contains) ?? false }
                    .map(\.channel)
            }
        }
        for channel in channels { channel.pipeline.fireUserInboundEventTriggered(RevokedEvent()) }
    }
}

/// What the connection was opened with is good no more.
struct RevokedEvent: Sendable {}
