internal import SoulBoxMetrics

/// The requests that a process answers, by line of the route table.
struct RequestMetrics: Sendable {
    private struct Figures: Sendable {
        /// From 2xx to 5xx: no answer has another.
        let classes: [MetricCounter]
        let duration: MetricHistogram
    }

    private let routes: [Figures]
    /// Requests that no route answers.
    private let others: Figures

    /// Counts on that sheet. The set of labels is that of the table, whatever clients send.
    init(_ routes: [Route], _ sheet: MetricSheet) {
        func figures(_ path: String, _ method: String) -> Figures {
            Figures(
                classes: (2...5).map { number in
                    sheet.counter(.requests, ["route": path, "method": method, "status": "\(number)xx"])
                },
                duration: sheet.histogram(.requestDuration, ["route": path, "method": method]))
        }
        self.routes = routes.map { figures($0.path, $0.method) }
        others = figures("none", "any")
    }

    /// Counts a request that has been answered. HEAD counts with GET.
    func note(_ request: HTTPRequest, status: Int, nanoseconds: UInt64) {
        let figures = request.context.route.map { routes[$0] } ?? others
        if (200...599).contains(status) { figures.classes[status / 100 - 2].add() }
        figures.duration.observe(nanoseconds: nanoseconds)
    }
}
