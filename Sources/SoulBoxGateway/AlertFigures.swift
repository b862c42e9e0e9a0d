internal import LinuxKernel
internal import SoulBoxAPI
internal import SoulBoxModel
internal import SoulBoxStore

/// What `/ws/monitor` tells of alerts; the database is asked at most twice a second, whoever asks, and only if somebody does.
final class AlertFigures: Sendable {
    /// The figure's name.
    static let name = "alerts"

    /// How many are open, and what happened lately.
    struct Present: Sendable {
        var open: Int64
        var changes: [AlertChange]
    }

    private static let fresh: UInt64 = 500_000_000

    private let api: LiveAPI
    private let state = Monitor((present: Present?.none, readAt: UInt64(0)))

    init(_ api: LiveAPI) { self.api = api }

    /// How it stands; nil when that cannot be told now.
    func read() -> Present? {
        let now = MonotonicClock.now
        let known: Present?? = state.update { state in
            guard now >= state.readAt + AlertFigures.fresh else { return .some(state.present) }
            state.readAt = now
            return nil
        }
        if let known { return known }
        let found = (try? api.alerts()).map { Present(open: $0.open, changes: $0.changes) }
        state.update { $0.present = found }
        return found
    }
}

extension AlertChange {
    /// The message that tells of it.
    var message: JSONValue {
        [
            "type": "alert", "event": .string(kind.rawValue), "timestamp": .string(at.rfc3339),
            "alert": .object(alert.json),
        ]
    }
}
