import LinuxKernel
import Postgres
import TestDatabase
import Testing

@Suite("PostgreSQL notifications")
struct PostgresListenerTests {
    private func wait(_ listener: PostgresListener) throws -> (isNotified: Bool, seconds: Double) {
        let begin = MonotonicClock.now
        let isNotified = try listener.wait(milliseconds: 300)
        return (isNotified, Double(MonotonicClock.now - begin) / 1e9)
    }

    @Test("wakes at a notification of its channel, and of no other")
    func wakes() throws {
        let database = try TestDatabase()
        let listener = PostgresListener(database.url, channel: "things")
        #expect(try listener.wait(milliseconds: 300))
        let quiet = try wait(listener)
        #expect(!quiet.isNotified)
        #expect(quiet.seconds > 0.25)
        try database.run("NOTIFY others")
        #expect(try !listener.wait(milliseconds: 50))
        try database.run("NOTIFY things")
        #expect(try listener.wait(milliseconds: 5000))
        #expect(try !listener.wait(milliseconds: 50))
    }

    @Test("listens again after its connection was ended, and takes that for a notification")
    func reconnects() throws {
        let database = try TestDatabase()
        let listener = PostgresListener(database.url, channel: "things")
        #expect(try listener.wait(milliseconds: 300))
        try database.run(
            """
            SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()
            """)
        var calls = 0
        while try !listener.wait(milliseconds: 300) {
            calls += 1
            guard calls < 5 else { break }
        }
        #expect(calls < 5)
        try database.run("NOTIFY things")
        #expect(try listener.wait(milliseconds: 5000))
    }
}
