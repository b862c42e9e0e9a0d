/// The measurements that rules of alerts can be about, and how an alert's message calls each.
public enum AlertMetric {
    /// Stands for the measurement of every component: 1 when it is well, 0 when it is not.
    public static let anyComponent = "component_up"

    private static let labels = [
        MetricName.cpuUsage: "CPU usage", MetricName.memoryUsage: "Memory usage", MetricName.diskUsage: "Disk usage",
        MetricName.queueDepth: "Queue depth", MetricName.executionsRunning: "Number of running executions",
        MetricName.executionsFailedPercent: "Share of failed executions",
        MetricName.sandboxesRunning: "Number of running sandboxes",
        MetricName.apiErrorsPerSecond: "Rate of API errors",
    ]

    /// All names, in the order in which they are told.
    public static let names: [String] = MetricName.all + [anyComponent]

    /// The component that a measurement is of; nil when it is of none.
    public static func component(of metric: String) -> String? {
        guard metric.hasPrefix("component_"), metric.hasSuffix("_up"), metric != anyComponent else { return nil }
        return String(metric.dropFirst("component_".count).dropLast("_up".count))
    }

    /// What a measurement is called in a sentence.
    static func label(_ metric: String) -> String {
        if let component = component(of: metric) { return "Component \(component)" }
        return labels[metric] ?? metric
    }
}
