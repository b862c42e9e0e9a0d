import Foundation
import SoulBoxModel
import Testing

extension TestStack {
    /// One for the suites that look at its figures; none of them ends it.
    static let monitored: TestStack = {
        do {
            return try TestStack()
        } catch {
            fatalError("the stack did not start: \(error)")
        }
    }()

    /// The page of figures.
    func metrics() async throws -> MetricText {
        let answer = try await send("GET", "/api/metrics")
        // Thrown and not recorded: a test may ask while nobody is there.
        guard answer.status == 200 else { throw Failure(description: answer.text) }
        return MetricText(answer.text)
    }

    /// Asks the stack's own database; lines of fields between `|`.
    func sql(_ statement: String) throws -> String {
        try TestStack.shell(
            """
            psql --no-psqlrc --quiet --tuples-only --no-align \
              'host=/run/soulbox/\(instance)/postgres user=postgres dbname=soulbox' --command "\(statement)" 2>&1
            """
        ).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// How a component stands by `GET /health`, and the whole service.
    func health(_ component: String) async throws -> (component: String, service: String) {
        let answer = try await send("GET", "/api/health")
        let found = answer.json["components"]?.arrayValue?.first { $0["name"]?.stringValue == component }
        return (found?["status"]?.stringValue ?? "missing", answer.json["status"]?.stringValue ?? "")
    }

    /// Waits until a component stands so; how many seconds that took, nil when it never did.
    func wait(_ component: String, is status: String, seconds: Double) async throws -> Double? {
        let begin = Date()
        while Date().timeIntervalSince(begin) < seconds {
            if try await health(component).component == status { return Date().timeIntervalSince(begin) }
            try await Task.sleep(for: .milliseconds(50))
        }
        return nil
    }
}
