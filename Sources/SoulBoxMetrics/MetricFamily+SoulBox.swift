extension MetricFamily {
    /// Requests by route, method and class of status.
    public static let requests = MetricFamily(
        "soulbox_http_requests_total", .counter,
        "Requests that workers and gateways answered, by route, method and class of status.")
    /// How long they took.
    public static let requestDuration = MetricFamily(
        "soulbox_http_request_duration_seconds",
        .histogram([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]),
        "Time from a request's head at a worker until its answer was ready, by route and method.")
    /// Executions by language and end.
    public static let executions = MetricFamily(
        "soulbox_executions_total", .counter, "Executions whose end is noted, by language, status and reason.")
    /// How long a program took to begin.
    public static let startup = MetricFamily(
        "soulbox_execution_startup_seconds",
        .histogram([0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]),
        "Time from the acceptance of an execution until its program, or its compiler, began; waiting included.")
    /// How long programs ran.
    public static let executionDuration = MetricFamily(
        "soulbox_execution_duration_seconds",
        .histogram([0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300]),
        "Wall time of programs, without their compilers.")
    /// How long executions waited for a place.
    public static let queueDuration = MetricFamily(
        "soulbox_execution_queue_seconds", .histogram([0.001, 0.01, 0.1, 0.5, 1, 2.5, 5, 10]),
        "Time that executions waited in the isolation service for a place.")
    /// Requests that a limit refused.
    public static let refusals = MetricFamily(
        "soulbox_rate_limit_refusals_total", .counter,
        "Requests refused with 429: by a key's rate (standard, execution, upload), a quota, or failed authentications.")
    /// Live WebSockets.
    public static let webSockets = MetricFamily(
        "soulbox_websocket_connections", .gauge, "WebSockets that are open, by path.")
    /// WebSockets so far.
    public static let webSocketsOpened = MetricFamily(
        "soulbox_websocket_connections_opened_total", .counter, "WebSockets that were opened, by path.")
    /// Database connections.
    public static let databaseConnections = MetricFamily(
        "soulbox_database_connections", .gauge, "Connections to the database, by process and whether one is in use.")
    /// The most database connections.
    public static let databaseLimit = MetricFamily(
        "soulbox_database_connections_limit", .gauge, "The most connections to the database, by process.")

    /// What processes count, in the order of the page.
    public static let counted: [MetricFamily] = [
        requests, requestDuration, executions, startup, executionDuration, queueDuration, refusals, webSockets,
        webSocketsOpened, databaseConnections, databaseLimit,
    ]
}
