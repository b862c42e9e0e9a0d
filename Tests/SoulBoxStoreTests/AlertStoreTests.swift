import LinuxKernel
import Postgres
import SoulBoxModel
import TestDatabase
import Testing

@testable import SoulBoxStore

/// The statements around alerts; whether real conditions raise alerts is for the integration tests.
@Suite("Alerts in the database")
struct AlertStoreTests {
    private let store: StoreFixture
    private let alerts: AlertStore
    private let rules: AlertRuleStore
    private let webhooks: WebhookStore
    private let caller: Caller

    init() throws {
        store = try StoreFixture(permissions: [.alertWrite])
        alerts = AlertStore(store.pool)
        rules = AlertRuleStore(store.pool)
        webhooks = WebhookStore(store.pool)
        caller = store.caller([.alertWrite])
        try store.database.run("DELETE FROM alert_rules")
    }

    private func inTransaction<Value>(_ body: (StoreTransaction) throws -> Value) throws -> Value {
        try store.pool.withConnection { connection in
            try connection.transaction { try body(StoreTransaction(connection: $0)) }
        }
    }

    private func makeRule(
        _ metric: String = "cpu_usage", _ comparison: AlertRule.Comparison = .above, _ threshold: Double = 80,
        for seconds: Int64 = 30, webhook: Bool = false
    ) throws -> AlertRule {
        var rule = AlertRule(
            name: "rule", metric: metric, comparison: comparison, threshold: threshold, forSeconds: seconds,
            severity: .warning)
        if webhook { rule.webhook = .init(url: "https://example.com/", sealedSecret: [1, 2, 3]) }
        return try #require(try inTransaction { try rules.create(rule, in: $0) })
    }

    /// Measurements of every five seconds, the newest of this moment.
    private func measure(_ metric: String, _ values: [Double], node: String = "a", age: Int = 0) throws {
        let list = values.map { "\($0)" }.joined(separator: ",")
        try store.database.run(
            """
            INSERT INTO metric_samples (metric, node, at, value)
            SELECT '\(metric)', '\(node)', now() - make_interval(secs => \(age) + 5 * (\(values.count) - n)), value
            FROM unnest(ARRAY[\(list)]::float8[]) WITH ORDINALITY AS v (value, n)
            """)
    }

    private func watch() throws -> AlertWatch { try #require(try AlertWatch(store.database.url)) }

    /// An alert about the first subject.
    private func raise(_ watch: AlertWatch) throws -> Alert {
        let reading = try #require(try watch.readings().first)
        return try #require(try watch.trigger(reading, value: 90))
    }

    @Test("an installation begins with rules, and those that are deleted stay deleted")
    func defaults() throws {
        let fresh = try StoreFixture()
        let rules = AlertRuleStore(fresh.pool)
        let all = try rules.list(page: Page())
        #expect(
            all.items.map(\.metric) == [
                "cpu_usage", "memory_usage", "disk_usage", "queue_depth", "executions_failed_percent", "component_up",
            ])
        #expect(all.items.allSatisfy { AlertMetric.names.contains($0.metric) && $0.isEnabled && $0.webhook == nil })
    }

    @Test("a rule reads its own time of its own series, node by node")
    func readings() throws {
        let rule = try makeRule()
        try measure("cpu_usage", [10, 10, 90, 90, 90, 90, 90, 90, 91])
        try measure("cpu_usage", [90, 90, 90, 70], node: "b", age: 3)
        try measure("memory_usage", [99, 99])
        let readings = try watch().readings()
        #expect(readings.map(\.node) == ["a", "b"] && readings.allSatisfy { $0.rule == rule && $0.alert == nil })
        let (first, second) = (readings[0], readings[1])
        // 30 seconds before the newest, both ends included.
        #expect(first.count == 7 && first.holds && !first.hasEnded && first.value == 91)
        #expect(first.newestAt.microseconds - first.firstAt.microseconds == 30_000_000)
        #expect(second.count == 4 && !second.holds && !second.hasEnded && second.endCount == 3)
        #expect(second.now.microseconds - second.newestAt.microseconds >= 3_000_000)
    }

    @Test(
        "each comparison holds where it says",
        arguments: [
            (AlertRule.Comparison.above, [false, false, true]), (.atLeast, [false, true, true]),
            (.below, [true, false, false]), (.atMost, [true, true, false]),
        ])
    func comparisons(comparison: AlertRule.Comparison, holds: [Bool]) throws {
        _ = try makeRule("queue_depth", comparison, 5, for: 0)
        for (node, value) in [("a", 4.5), ("b", 5), ("c", 5.5)] { try measure("queue_depth", [value], node: node) }
        #expect(try watch().readings().map(\.holds) == holds)
        #expect([4.5, 5, 5.5].map { comparison.holds($0, 5) } == holds)
    }

    @Test("a rule over components is about each of them")
    func components() throws {
        let all = try makeRule("component_up", .below, 1, for: 0)
        let one = try makeRule("component_disk_up", .below, 1, for: 0)
        for name in ["gateway", "disk"] { try measure("component_\(name)_up", [0]) }
        try measure("component_gateway_up", [1], node: "b")
        let watch = try watch()
        func found(_ rule: AlertRule) throws -> [AlertReading] {
            try watch.readings().filter { $0.rule.id == rule.id }
        }
        #expect(try found(all).map(\.subject) == ["disk@a", "gateway@a", "gateway@b"])
        #expect(try found(one).map(\.subject) == ["disk@a"])
        let raised = try #require(try watch.trigger(try found(all)[1], value: 0))
        #expect(raised.message == "Component gateway is down" && raised.subject == "gateway@a" && raised.node == "a")
        #expect(raised.metric == "component_gateway_up")
        // Another rule has another alert about the same component.
        for rule in [all, one] { #expect(try watch.trigger(try found(rule)[0], value: 0) != nil) }
        #expect(try found(all).map { $0.alert != nil } == [true, true, false])
        #expect(try found(one).map { $0.alert != nil } == [true])
        #expect(try alerts.list(status: nil, severity: nil, page: Page()).items.count { $0.ruleID == one.id } == 1)
    }

    @Test("one alert is open about a subject, and each change is told once, in order")
    func life() throws {
        _ = try makeRule(webhook: true)
        try measure("cpu_usage", [90, 90, 90, 90, 90, 90, 90])
        let watch = try watch()
        let reading = try #require(try watch.readings().first)
        let alert = try #require(try watch.trigger(reading, value: 90))
        #expect(try watch.trigger(reading, value: 90) == nil, "it is open already")
        #expect(alert.message == "CPU usage is above threshold" && alert.status == .active && alert.value == 90)
        #expect(try alerts.present().open == 1)
        #expect(try open() == [.warning: .init(active: 1, acknowledged: 0)])

        #expect(try acknowledge("alert_x") == .notFound)
        guard case .done(let known) = try acknowledge(alert.identifier) else {
            Issue.record("not acknowledged")
            return
        }
        #expect(known.status == .acknowledged && known.acknowledgedAt != nil)
        #expect(try acknowledge(alert.identifier, "again") == .done(known), "it stays as it is")
        #expect(try open() == [.warning: .init(active: 0, acknowledged: 1)])
        let resolved = try #require(try watch.resolve(alert.id))
        #expect(resolved.status == .resolved && resolved.resolution == .conditionEnded)
        #expect(try watch.resolve(alert.id) == nil)
        #expect(try acknowledge(alert.identifier) == .resolved)
        let repeated = try inTransaction { try alerts.resolve(alert.identifier, by: caller, comment: nil, in: $0) }
        #expect(repeated == .done(resolved))
        let details = try #require(try alerts.find(alert.identifier))
        #expect(details.events.map(\.kind) == [.triggered, .acknowledged, .resolved])
        #expect(details.events.map(\.comment) == [nil, "looking", nil])
        #expect(details.events.map(\.keyID) == [nil, caller.keyID, nil])
        #expect(details.deliveries.map(\.event) == ["triggered", "acknowledged", "resolved"])
        #expect(try alerts.present().changes.map(\.kind) == [.triggered, .acknowledged, .resolved])
        #expect(try alerts.present().open == 0 && open().isEmpty)

        // What is told of one alert goes out in its order, whoever takes it.
        let first = try #require(try webhooks.take())
        #expect(try webhooks.take() == nil, "the second waits for the first")
        #expect(try JSONParser.parse(Array(first.body.utf8))["event"] == "alert.triggered")
        try webhooks.fail(first, httpStatus: 500, error: "no", againAfterMilliseconds: 3_600_000)
        #expect(try webhooks.take() == nil)
        try store.database.run("UPDATE webhook_deliveries SET due_at = now() WHERE attempts = 1")
        let again = try #require(try webhooks.take())
        #expect(again.id == first.id && again.attempts == 2)
        try webhooks.fail(first, httpStatus: nil, error: "late", againAfterMilliseconds: 0)
        try webhooks.finish(again, httpStatus: 204)
        let report = try #require(try alerts.find(alert.identifier)?.deliveries.first)
        #expect(report.status == .delivered && report.attempts == 2 && report.httpStatus == 204 && report.error == nil)
        #expect(try webhooks.take()?.body.contains("alert.acknowledged") == true)
    }

    /// What `/metrics` tells.
    private func open() throws -> [AlertRule.Severity: ServiceFigures.OpenAlerts] {
        try MetricStore(store.pool).figures().alerts
    }

    private func acknowledge(_ id: String, _ comment: String = "looking") throws -> AlertAction {
        try inTransaction { try alerts.acknowledge(id, by: caller, comment: comment, in: $0) }
    }

    @Test("what its sender does not say the end of is sent again, and given up after eight times")
    func leases() throws {
        _ = try makeRule(webhook: true)
        try measure("cpu_usage", [90, 90, 90, 90, 90, 90, 90])
        let watch = try watch()
        let alert = try raise(watch)
        for attempt in Int64(1)...8 {
            #expect(try webhooks.take()?.attempts == attempt)
            #expect(try webhooks.take() == nil)
            try store.database.run("UPDATE webhook_deliveries SET leased_until = now() - interval '1 second'")
        }
        #expect(try webhooks.take() == nil)
        let report = try #require(try alerts.find(alert.identifier)?.deliveries.first)
        #expect(report.status == .failed && report.error == "the process that sent it ended")
    }

    @Test("the last attempt that fails is the last")
    func last() throws {
        _ = try makeRule(webhook: true)
        try measure("cpu_usage", [90, 90, 90, 90, 90, 90, 90])
        let watch = try watch()
        let alert = try raise(watch)
        for _ in 1...8 {
            let delivery = try #require(try webhooks.take())
            try webhooks.fail(delivery, httpStatus: 500, error: "answered 500", againAfterMilliseconds: 0)
        }
        #expect(try webhooks.take() == nil)
        #expect(try alerts.find(alert.identifier)?.deliveries.map(\.status) == [.failed])
    }

    @Test("a rule that is disabled, deleted or about something else resolves its alerts, and decides nothing more")
    func endOfRules() throws {
        try measure("cpu_usage", [90, 90, 90, 90, 90, 90, 90])
        let watch = try watch()
        for (change, resolution): ((AlertRule) throws -> Void, Alert.Resolution) in [
            ({ try update($0) { $0.isEnabled = false } }, .ruleDisabled),
            ({ try update($0) { $0.metric = "memory_usage" } }, .ruleChanged),
            (
                { rule in _ = try inTransaction { try rules.delete(rule.identifier, by: caller, in: $0) } },
                .ruleDeleted
            ),
        ] {
            let rule = try makeRule(webhook: true)
            let reading = try #require(try watch.readings().first { $0.rule.id == rule.id })
            let alert = try #require(try watch.trigger(reading, value: 90))
            try change(rule)
            let found = try #require(try alerts.find(alert.identifier))
            #expect(found.alert.resolution == resolution && found.events.last?.keyID == caller.keyID)
            #expect(found.deliveries.map(\.event) == ["triggered", "resolved"])
            #expect(try watch.trigger(reading, value: 90) == nil, "the rule is not what was read")
            #expect(try watch.readings().allSatisfy { !($0.rule.id == rule.id && $0.metric == "cpu_usage") })
        }
    }

    private func update(_ rule: AlertRule, _ change: (inout AlertRule) -> Void) throws {
        let changed = try inTransaction {
            try rules.update(rule.identifier, by: caller, in: $0) { rule in
                var rule = rule
                change(&rule)
                return rule
            }
        }
        #expect(changed?.revision == rule.revision + 1)
    }

    @Test("what is still to be sent goes where the rule says now, or nowhere")
    func redirected() throws {
        let rule = try makeRule(webhook: true)
        try measure("cpu_usage", [90, 90, 90, 90, 90, 90, 90])
        let watch = try watch()
        let alert = try raise(watch)
        try update(rule) { $0.webhook = .init(url: "https://elsewhere.example/", sealedSecret: [9]) }
        let delivery = try #require(try webhooks.take())
        #expect(delivery.url == "https://elsewhere.example/" && delivery.sealedSecret == [9])
        try webhooks.fail(delivery, httpStatus: nil, error: "no", againAfterMilliseconds: 0)
        var now = rule
        now.revision += 1
        try update(now) { $0.webhook = nil }
        #expect(try webhooks.take() == nil)
        #expect(try alerts.find(alert.identifier)?.deliveries.map(\.status) == [.cancelled])
    }

    @Test("one process decides; when its connection ends another does, and it no more")
    func leader() throws {
        _ = try makeRule()
        try measure("cpu_usage", [90, 90, 90, 90, 90, 90, 90])
        let first = try watch()
        #expect(try AlertWatch(store.database.url) == nil)
        let reading = try #require(try first.readings().first)
        try store.database.run(
            """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE application_name LIKE 'soulbox alerts %' AND datname = current_database()
            """)
        var second: AlertWatch?
        let deadline = MonotonicClock.now + 5_000_000_000
        while second == nil, MonotonicClock.now < deadline { second = try AlertWatch(store.database.url) }
        #expect(try second?.trigger(reading, value: 90) != nil)
        #expect(throws: PostgresError.self) { try first.trigger(reading, value: 90) }
        #expect(try alerts.list(status: .active, severity: nil, page: Page()).total == 1)
    }

    @Test("resolved alerts go after their time, with all that belongs to them; open ones stay")
    func retention() throws {
        _ = try makeRule(webhook: true)
        for node in ["a", "b", "c"] { try measure("cpu_usage", [90, 90, 90, 90, 90, 90, 90], node: node) }
        let watch = try watch()
        for reading in try watch.readings() {
            let alert = try #require(try watch.trigger(reading, value: 90))
            if reading.node != "c" { _ = try watch.resolve(alert.id) }
        }
        try store.database.run(
            "UPDATE alerts SET triggered_at = now() - interval '100 days', "
                + "resolved_at = resolved_at - CASE subject WHEN 'a' THEN interval '91 days' ELSE interval '89 days' END"
        )
        #expect(try watch.expire(days: 90) == 1)
        #expect(try watch.expire(days: 90) == 0)
        #expect(try alerts.list(status: .resolved, severity: nil, page: Page()).items.map(\.subject) == ["b"])
        #expect(try store.database.integer("SELECT count(*) FROM alert_events") == 3)
        #expect(try store.database.integer("SELECT count(*) FROM webhook_deliveries") == 3)
        #expect(try alerts.list(status: nil, severity: .critical, page: Page()).total == 0)
        #expect(try alerts.list(status: nil, severity: .warning, page: Page()).items.map(\.subject) == ["c"])
    }

    @Test("there are at most a hundred rules")
    func most() throws {
        for _ in 0..<AlertRuleStore.most { _ = try makeRule() }
        let rule = AlertRule(
            name: "n", metric: "cpu_usage", comparison: .above, threshold: 1, forSeconds: 0, severity: .info)
        let made = try inTransaction { try rules.create(rule, in: $0) }
        #expect(made == nil)
    }

    @Test("looking at a day of measurements with many rules takes a fraction of a second")
    func cost() throws {
        try store.database.run(
            """
            INSERT INTO metric_samples (metric, node, at, value)
            SELECT m, 'n' || n, now() - s * interval '5 seconds', 50
            FROM unnest(ARRAY['cpu_usage','memory_usage','disk_usage','queue_depth','component_gateway_up']) m,
                generate_series(1, 2) n, generate_series(0, 17279) s;
            ANALYZE metric_samples
            """)
        for metric in ["cpu_usage", "memory_usage", "disk_usage", "queue_depth", "component_up"] {
            for seconds in [Int64(0), 300, 600, 21_600] { _ = try makeRule(metric, for: seconds) }
        }
        let watch = try watch()
        #expect(try watch.readings().count == 40)
        let begin = MonotonicClock.now
        #expect(try watch.readings().count == 40)
        let milliseconds = (MonotonicClock.now - begin) / 1_000_000
        print("20 rules over 172,800 measurements: \(milliseconds) ms")
        #expect(milliseconds < 1000)
    }
}
