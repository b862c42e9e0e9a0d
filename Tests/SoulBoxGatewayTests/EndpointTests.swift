import Foundation
import SoulBoxStore
import Testing
import Yams

@testable import SoulBoxGateway

@Suite("What gateways serve")
struct EndpointTests {
    @Test("each operation that is described as theirs is there, with its permission")
    func described() throws {
        let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/openapi.yaml")
        let document = try #require(try Yams.compose(yaml: String(contentsOf: path, encoding: .utf8)))
        var count = 0
        for (path, item) in try #require(document["paths"]?.mapping) {
            for (method, operation) in try #require(item.mapping) where operation["x-served-by"]?.string == "gateway" {
                let endpoint = try #require(Endpoint(path: path.string ?? ""), "\(path)")
                #expect(method.string == "get" && !endpoint.isWebSocket)
                #expect(endpoint.permission.rawValue == operation["x-permission"]?.string)
                #expect(operation["x-rate-class"]?.string == "standard")
                count += 1
            }
        }
        #expect(count == 1)
    }

    @Test("paths are taken as they stand")
    func paths() {
        #expect(Endpoint(path: "/ws/execute") == .execute)
        #expect(Endpoint(path: "/ws/monitor") == .monitor)
        #expect(Endpoint(path: "/ws/sandboxes/sb_1/terminal") == .terminal(sandbox: "sb_1"))
        #expect(Endpoint(path: "/api/execute/exec_1/events") == .events(execution: "exec_1"))
        #expect(Endpoint(path: "/api/sandboxes/sb_1/processes/7/logs") == .logs(sandbox: "sb_1", process: "7"))
        for odd in [
            "", "/", "/ws", "/ws/", "/ws/execute/", "//ws/execute", "/ws/sandboxes/terminal", "/api/execute/events",
        ] {
            #expect(Endpoint(path: odd) == nil, "\(odd)")
        }
    }
}
