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
        var time = HostFigures.ProcessorTime.zero
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
        let (time, memory, status) = (HostFigures.processorTime, HostFigures.memoryUsage, try? api.status())
        return state.update { state in
            var values: [String: Double] = [:]
            if let time {
                values["cpu_usage"] = time.usage(since: state.time).map(SystemFigures.rounded)
                state.time = time
            }
            values["memory_usage"] = memory.map(SystemFigures.rounded)
            if let status {
                values["active_containers"] = Double(status.sandboxes + status.executionsRunning)
                values["executions_running"] = Double(status.executionsRunning)
                values["queue_depth"] = Double(status.executionsWaiting)
            }
            state.values = values
            return values
        }
    }

    private static func rounded(_ value: Double) -> Double { (value * 10).rounded() / 10 }
}
