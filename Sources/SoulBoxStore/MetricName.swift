/// The names under which measurements are kept, and which rules of alerts use.
///
/// `docs/operations.md`, "Measurements", says what each means.
public enum MetricName {
    /// Percent of the host's processors in use.
    public static let cpuUsage = "cpu_usage"
    /// Percent of the host's memory that is not available.
    public static let memoryUsage = "memory_usage"
    /// Percent of the volume with the sandboxes that is in use.
    public static let diskUsage = "disk_usage"
    /// Bytes of that volume that are free.
    public static let diskFreeBytes = "disk_free_bytes"
    /// Executions that wait for a place on this node or for any scheduler.
    public static let queueDepth = "queue_depth"
    /// Executions that run on this node.
    public static let executionsRunning = "executions_running"
    /// Percent of the executions of the last minute that ended as `failed` or `timeout`.
    public static let executionsFailedPercent = "executions_failed_percent"
    /// Persistent sandboxes of the service that run.
    public static let sandboxesRunning = "sandboxes_running"
    /// Persistent sandboxes of the service.
    public static let sandboxesTotal = "sandboxes_total"
    /// Answers of this node with a status of 500 or above, a second.
    public static let apiErrorsPerSecond = "api_errors_per_second"

    /// Percent of the time in which something waited for a resource (PSI of the Linux kernel, `some avg10`).
    public static func pressure(_ resource: String) -> String { "load_pressure_\(resource)" }

    /// 1 when a component is well, 0 when it is not.
    public static func isUp(_ component: String) -> String { "component_\(component)_up" }

    /// The resources whose pressure is measured.
    public static let resources = ["cpu", "memory", "io"]
    /// The components that are watched.
    public static let components = ["database", "container_manager", "queue", "disk", "gateway"]

    /// All names.
    public static let all: [String] =
        [
            cpuUsage, memoryUsage, diskUsage, diskFreeBytes, queueDepth, executionsRunning, executionsFailedPercent,
            sandboxesRunning, sandboxesTotal, apiErrorsPerSecond,
        ] + resources.map(pressure) + components.map(isUp)
}
