internal import IsolationProtocol
internal import SoulBoxExecution
internal import SoulBoxMetrics
internal import SoulBoxModel
internal import SoulBoxStore

/// The page of `/metrics`: what all processes have counted, and how the service stands now.
struct ServicePage {
    private static let build = MetricFamily("soulbox_build_info", .gauge, "Always 1; the label tells the version.")
    private static let begin = MetricFamily(
        "process_start_time_seconds", .gauge, "When the counters began at zero, in seconds since 1970.")
    private static let up = MetricFamily(
        "soulbox_up", .gauge, "Whether a component of the service is well (1) or not (0).")
    private static let queue = MetricFamily(
        "soulbox_queue_depth", .gauge,
        "Executions that wait: in the isolation service of this node for a place, or in the database for a scheduler.")
    private static let running = MetricFamily("soulbox_executions_running", .gauge, "Executions that run on this node.")
    private static let places = MetricFamily(
        "soulbox_executions_limit", .gauge, "How many executions may run on this node at once.")
    private static let sandboxes = MetricFamily(
        "soulbox_sandboxes", .gauge, "Persistent sandboxes of the whole service, by status.")
    private static let ready = MetricFamily(
        "soulbox_ready_sandboxes", .gauge, "Sandboxes that stand ready on this node, by template, language and use.")
    private static let taken = MetricFamily(
        "soulbox_ready_sandboxes_taken_total", .counter,
        "Requests that found a ready sandbox, since the isolation service's start.")
    private static let missed = MetricFamily(
        "soulbox_ready_sandboxes_missed_total", .counter,
        "Requests that found no ready sandbox, since the isolation service's start.")
    private static let free = MetricFamily(
        "soulbox_disk_free_bytes", .gauge, "Bytes free on the volume of the sandboxes.")
    private static let alerts = MetricFamily(
        "soulbox_alerts_open", .gauge, "Alerts of the whole service that are not resolved, by severity and status.")

    /// Every status that a sandbox may have, so that none is missing while there is none of it.
    private static let states = ["creating", "running", "stopped", "error", "paused"]

    let monitoring: Monitoring
    let version: String

    /// Writes the page. What cannot be told now is left out.
    func text() throws -> String {
        let totals = try monitoring.directory.collect()
        let findings = monitoring.health.monitor.findings
        var page = MetricPage()
        page.add(ServicePage.build, [(["version": version], 1)])
        page.add(ServicePage.begin, monitoring.directory.began)
        page.add(ServicePage.up, findings.map { (["component": $0.name], $0.isHealthy ? 1 : 0) })
        // A database that is away is not waited for.
        let hasDatabase = findings.first { $0.name == "database" }?.isHealthy ?? false
        let figures = hasDatabase ? monitoring.figures.read() : nil
        let status = monitoring.health.isolatorStatus
        page.add(ServicePage.queue, queues(status, figures))
        page.add(ServicePage.running, status.map { Double($0.executionsRunning) })
        page.add(ServicePage.places, status.map { Double($0.executionsLimit) })
        if let figures {
            let names = ServicePage.states + figures.sandboxes.keys.filter { !ServicePage.states.contains($0) }.sorted()
            page.add(ServicePage.sandboxes, names.map { (["status": $0], Double(figures.sandboxes[$0] ?? 0)) })
            page.add(ServicePage.alerts, open(figures))
        }
        if let status { pools(status, &page) }
        page.add(
            ServicePage.free,
            findings.first { $0.name == "disk" }?.details["free_bytes"]?.integerValue.map { Double($0) })
        page.add(MetricFamily.counted, totals)
        return page.text
    }

    private func queues(_ status: IsolatorStatus?, _ figures: ServiceFigures?) -> [(
        labels: MetricLabels, value: Double
    )] {
        var queues: [(labels: MetricLabels, value: Double)] = []
        if let status { queues.append((["queue": "isolator"], Double(status.executionsWaiting))) }
        if let figures { queues.append((["queue": "scheduler"], Double(figures.queued))) }
        return queues
    }

    /// A line for each severity and status, so that none is missing while there is nothing of it.
    private func open(_ figures: ServiceFigures) -> [(labels: MetricLabels, value: Double)] {
        AlertRule.Severity.allCases.flatMap { severity in
            let counts = figures.alerts[severity]
            return [("active", counts?.active), ("acknowledged", counts?.acknowledged)].map { status, count in
                (["severity": severity.rawValue, "status": status] as MetricLabels, Double(count ?? 0))
            }
        }
    }

    private func pools(_ status: IsolatorStatus, _ page: inout MetricPage) {
        page.add(
            ServicePage.ready,
            status.readyCounts.map { count in
                let use = count.isPersistent ? "sandbox" : "execution"
                return (["template": count.template, "language": count.runtime, "use": use], Double(count.ready))
            })
        page.add(ServicePage.taken, Double(status.readyTaken))
        page.add(ServicePage.missed, Double(status.readyMissed))
    }
}
