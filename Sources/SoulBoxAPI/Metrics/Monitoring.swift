public import SoulBoxExecution
public import SoulBoxMetrics
public import SoulBoxStore

/// Where a process finds the figures that it shows.
public struct Monitoring: Sendable {
    let metrics: ServiceMetrics
    let directory: MetricDirectory
    let health: ServiceHealth
    let store: MetricStore

    /// Puts it together.
    ///
    /// - Parameters:
    ///   - metrics: What this process counts.
    ///   - directory: Where all processes of the instance count.
    ///   - health: The components of the service.
    ///   - store: Measurements in the database.
    public init(metrics: ServiceMetrics, directory: MetricDirectory, health: ServiceHealth, store: MetricStore) {
        self.metrics = metrics
        self.directory = directory
        self.health = health
        self.store = store
    }
}
