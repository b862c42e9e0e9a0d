internal import SoulBoxMetrics

/// The WebSockets of this process.
struct WebSocketMetrics: Sendable {
    private struct Figures: Sendable {
        let open: MetricCounter
        let opened: MetricCounter
    }

    private static let paths = ["/ws/execute", "/ws/monitor", "/ws/sandboxes/{sandbox_id}/terminal"]

    private let figures: [Figures]

    /// Counts on that sheet.
    init(_ sheet: MetricSheet) {
        figures = WebSocketMetrics.paths.map { path in
            Figures(
                open: sheet.gauge(.webSockets, ["path": path]), opened: sheet.counter(.webSocketsOpened, ["path": path])
            )
        }
    }

    /// Counts one that has been opened.
    func opened(_ endpoint: Endpoint) {
        guard let figures = figures(of: endpoint) else { return }
        figures.open.move(by: 1)
        figures.opened.add()
    }

    /// Counts one that has been closed.
    func closed(_ endpoint: Endpoint) { figures(of: endpoint)?.open.move(by: -1) }

    private func figures(of endpoint: Endpoint) -> Figures? {
        switch endpoint {
        case .execute: figures[0]
        case .monitor: figures[1]
        case .terminal: figures[2]
        case .events, .logs, .health: nil
        }
    }
}
