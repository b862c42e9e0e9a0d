import Foundation
import SoulBoxStore
import Testing
import Yams

@testable import SoulBoxAPI

/// The route table and the description of the API say the same.
@Suite("The API's description")
struct DocumentTests {
    private static func document() throws -> Node {
        let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/openapi.yaml")
        return try #require(try Yams.compose(yaml: String(contentsOf: path, encoding: .utf8)))
    }

    @Test("every route is described with its permission and its limit, and nothing else is")
    func routes() throws {
        let document = try DocumentTests.document()
        var described: Set<String> = []
        for (path, item) in try #require(document["paths"]?.mapping) {
            // Those of the gateways have a test beside them.
            for (method, operation) in try #require(item.mapping) where operation["x-served-by"] == nil {
                let permission = operation["x-permission"]?.string ?? ""
                let rate = operation["x-rate-class"]?.string ?? ""
                described.insert("\(method.string?.uppercased() ?? "") \(path.string ?? "") \(permission) \(rate)")
            }
        }
        let table = TestAPI().api.routes.map { route in
            let permission =
                switch route.access {
                case .open: "none"
                case .anyone: "any"
                case .permission(let permission): permission.rawValue
                }
            let rate = route.access == .open ? "none" : route.rateClass.rawValue
            return "\(route.method) \(route.path.replacing("{path...}", with: "{path}")) \(permission) \(rate)"
        }
        #expect(described == Set(table), "\(described.symmetricDifference(table).sorted())")
    }
}
