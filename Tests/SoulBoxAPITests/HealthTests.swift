import Glibc
import SoulBoxAPI
import SoulBoxExecution
import SoulBoxModel
import SoulBoxStore
import Synchronization
import Testing
@testable import SoulBoxAPI

@Suite("GET /health")
struct HealthTests {
    struct Failure: Error {}

    private func monitor(database: Bool, isolator: Bool) -> HealthMonitor {
        let monitor = HealthMonitor([
            .init(name: "database") { if !database { throw Failure() } },
            .init(name: "container_manager") { if !isolator { throw Failure() } },
        ])
        monitor.check(0)
        monitor.check(1)
        return monitor
    }

    @Test(
        "tells how the service stands",
        arguments: [
            (true, true, "healthy", 200), (true, false, "degraded", 200), (false, true, "unhealthy", 503),
            (false, false, "unhealthy", 503),
        ])
    func status(database: Bool, isolator: Bool, status: String, code: Int) {
        let test = TestAPI(health: monitor(database: database, isolator: isolator))
        let response = test.call("GET", "/api/health", key: nil)
        #expect(response.status == code)
        #expect(response.json["status"]?.stringValue == status)
        #expect(response.json["version"] == "1.2.3")
        #expect(response.json["uptime"] == 0)
        // Without the database nobody can be known, and everybody is told what is away.
        #expect((response.json["components"] == nil) == database)
        #expect(test.repository.calls.isEmpty)
    }

    @Test("tells components to those who may know")
    func components() {
        let health = monitor(database: true, isolator: false)
        #expect(TestAPI(health: health).call("GET", "/api/health").json["components"] == nil)
        let test = TestAPI(repository: FakeRepository(permissions: [.monitorRead]), health: health)
        let components = test.call("GET", "/api/health").json["components"]?.arrayValue
        #expect(components?.map { $0["name"] } == ["database", "container_manager"])
        #expect(components?.map { $0["status"] } == ["healthy", "unhealthy"])
        #expect(components?.first?["last_check"]?.stringValue.flatMap(Timestamp.init(rfc3339:)) != nil)
        #expect(test.call("GET", "/api/health", key: "bad").status == 200)
    }

    @Test("a component that hangs becomes unhealthy, and the answer does not hang")
    func hangs() {
        let isReleased = Mutex(false)
        let health = HealthMonitor([
            .init(name: "database") {},
            .init(name: "container_manager") { while !isReleased.withLock({ $0 }) { usleep(10_000) } },
        ])
        health.start()
        usleep(2_300_000)
        let response = TestAPI(health: health).call("GET", "/api/health", key: nil)
        #expect(response.json["status"] == "degraded")
        isReleased.withLock { $0 = true }
        usleep(100_000)
        #expect(TestAPI(health: health).call("GET", "/api/health", key: nil).json["status"] == "healthy")
    }
}
