import SoulBoxModel
import SoulBoxService
import Testing
import Yams

@testable import SoulBoxCommands

@Suite("Configuration of reports")
struct ReportSectionTests {
    private func months(_ text: String) throws -> Int {
        var settings = ServiceConfiguration.Reports()
        try YAMLDecoder().decode(OperatorConfiguration.self, from: text).reports.resolve(&settings)
        return settings.retentionMonths
    }

    @Test("months are those of the file, or 25")
    func months() throws {
        #expect(try months("reports: {retention_months: 13}") == 13)
        #expect(try months("reports: {}") == 25)
        #expect(try months("http: {port: 8080}") == 25)
    }

    @Test(
        "what is no number of months is refused",
        arguments: ["retention_months: 0", "retention_months: 121", "retention_months: long", "retention: 13"])
    func wrong(line: String) {
        #expect(throws: (any Error).self) { try months("reports: {\(line)}") }
    }
}
