public import SoulBoxExecution
public import SoulBoxMetrics
public import SoulBoxStore

/// Where a process finds the figures that it shows.
public struct Monitoring: Sendable {
    let metrics: ServiceMetrics
    let directory: MetricDirectory
    let health: ServiceHealth
    let store: MetricStore
    let figures: PromptFigures

    /// Puts it together.
    ///
    /// - Parameters:
    ///   - metrics: What this process counts.
    ///   - directory: Where all processes of the instance count.
    ///   - health: The components of the service.
    ///   - store: Measurements in the database.
    ///   - figures: The same for what `/metrics` asks: over connections that give up soon, for a page that must come when the
    ///     database has just gone away.
    public init(
        metrics: ServiceMetrics, directory: MetricDirectory, health: ServiceHealth, store: MetricStore,
        figures: MetricStore
    ) {
        self.metrics = metrics
        self.directory = directory
        self.health = health
        self.store = store
        self.figures = PromptFigures(figures)
    }
}
