internal import IsolationProtocol
internal import LinuxKernel
internal import SoulBoxAPI
internal import SoulBoxModel

/// What `/ws/monitor` tells, as the kernel and the isolation service say it now; asked at most twice a second, whoever asks.
final class SystemFigures: Sendable {
    /// The names of the figures.
    static let names: Set<String> = [
        "cpu_usage", "memory_usage", "active_containers", "executions_running", "queue_depth", AlertFigures.name,
    ]

    private struct State {
        var values: [String: Double] = [:]
        var readAt: UInt64 = 0
        var busy: Double = 0
        var total: Double = 0
    }

    private static let fresh: UInt64 = 500_000_000

    private let api: LiveAPI
    /// The alerts, for whoever wants them.
    let alerts: AlertFigures
    private let state = Monitor(State())

    init(_ api: LiveAPI) {
        self.api = api
        alerts = AlertFigures(api)
    }

    /// All figures; those that cannot be told now are missing.
    func read() -> [String: Double] {
        let now = MonotonicClock.now
        let known: [String: Double]? = state.update { state in
            guard now >= state.readAt + SystemFigures.fresh else { return state.values }
            state.readAt = now
            return nil
        }
        if let known { return known }
        let (ticks, memory, status) = (SystemFigures.ticks(), SystemFigures.memory(), try? api.status())
        return state.update { state in
            var values: [String: Double] = [:]
            if let ticks {
                let total = ticks.total - state.total
                if total > 0 { values["cpu_usage"] = SystemFigures.rounded((ticks.busy - state.busy) / total * 100) }
                (state.busy, state.total) = (ticks.busy, ticks.total)
            }
            values["memory_usage"] = memory
            if let status {
                values["active_containers"] = Double(status.sandboxes + status.executionsRunning)
                values["executions_running"] = Double(status.executionsRunning)
                values["queue_depth"] = Double(status.executionsWaiting)
            }
            state.values = values
            return values
        }
    }

    /// Processor time since the start of the machine (proc_stat(5)).
    private static func ticks() -> (busy: Double, total: Double)? {
        guard let line = (try? Files.readString("/proc/stat"))?.split(separator: "\n").first else { return nil }
        let fields = line.split(separator: " ").dropFirst().compactMap { Double($0) }
        guard fields.count >= 8 else { return nil }
        // Guests' time is part of the first two.
        let total = fields.prefix(8).reduce(0, +)
        return (total - fields[3] - fields[4], total)
    }

    /// Percent of the memory that is not available (proc_meminfo(5)).
    private static func memory() -> Double? {
        guard let text = try? Files.readString("/proc/meminfo") else { return nil }
        func value(_ name: String) -> Double? {
            text.split(separator: "\n").first { $0.hasPrefix(name + ":") }?
                .split(separator: " ").dropFirst().first.flatMap { Double($0) }
        }
        guard let total = value("MemTotal"), let available = value("MemAvailable"), total > 0 else { return nil }
        return rounded((total - available) / total * 100)
    }

    private static func rounded(_ value: Double) -> Double { (min(max(value, 0), 100) * 10).rounded() / 10 }
}
