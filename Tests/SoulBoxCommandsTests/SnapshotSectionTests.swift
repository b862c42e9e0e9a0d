import SoulBoxService
import Testing
import Yams

@testable import SoulBoxCommands

@Suite("Configuration of snapshots")
struct SnapshotSectionTests {
    private func settings(_ text: String) throws -> ServiceConfiguration.Snapshots {
        var settings = ServiceConfiguration.Snapshots()
        try YAMLDecoder().decode(OperatorConfiguration.self, from: text).snapshots.resolve(&settings)
        return settings
    }

    @Test("bounds are those of the file, or none")
    func bounds() throws {
        let given = try settings("snapshots: {keep_days: 30, keep_per_sandbox: 5, process_seconds: 60}")
        #expect(given.keepDays == 30 && given.keepPerSandbox == 5 && given.processSeconds == 60)
        let none = try settings("http: {port: 8080}")
        #expect(none.keepDays == 0 && none.keepPerSandbox == 0 && none.processSeconds == 600)
    }

    @Test(
        "what is no bound is refused",
        arguments: [
            "keep_days: 0", "keep_days: 36501", "keep_per_sandbox: -1", "keep_days: long", "process_seconds: 9",
            "keep: 1",
        ])
    func wrong(line: String) {
        #expect(throws: (any Error).self) { try settings("snapshots: {\(line)}") }
    }
}
