import Foundation
import IsolationProtocol
import LinuxKernel
import SoulBoxModel
import TestProcess
import TestWorld
import Testing

/// Sandboxes that stood ready with a network: from the first packet on they reach what their owner allows, and no more.
@Suite("Ready networks", .serialized, .enabled(if: Host.canIsolate))
struct ReadyNetworkTests {
    private static let reaches = """
        print(reach('\(TestWorld.good)', 8000), reach('\(TestWorld.unnamed)', 5432), reach('good.test', 8000),
              reach('\(TestWorld.hidden)', 80))
        """

    @Test("policies, names, and what goes over the link are those of the owner; nothing of any stays")
    func life() throws {
        let network = try NetworkedIsolator(ready: 2)
        try persistent(network)
        try oneShot(network)
        // What nobody has taken goes with the service: its links and its rules.
        network.stop()
        #expect(network.links.isEmpty)
        let log = NSTemporaryDirectory() + "nft-\(network.isolator.instance)"
        defer { try? FileManager.default.removeItem(atPath: log) }
        let list = try TestProcess("/usr/sbin/nft", ["list", "tables"], log: log)
        #expect(list.waitForExit(seconds: 20) == .exited(0))
        #expect(try !String(contentsOfFile: log, encoding: .utf8).contains("soulbox_\(network.isolator.instance)"))
    }

    private func persistent(_ network: NetworkedIsolator) throws {
        // The first are made on request: nobody has asked for one before.
        let (before, after) = try ready(network, [])
        #expect(after == before, "a link made on request, where one stood ready")
        for (hosts, expected) in [
            (
                [],
                "hello from \(TestWorld.good) hello from \(TestWorld.unnamed) hello from \(TestWorld.good) EHOSTUNREACH\n"
            ),
            (["\(TestWorld.good):8000"], "hello from \(TestWorld.good) EHOSTUNREACH name EHOSTUNREACH\n"),
            (["good.test:8000"], "EHOSTUNREACH EHOSTUNREACH hello from \(TestWorld.good) EHOSTUNREACH\n"),
        ] as [([String], String)] {
            let sandbox = try TestSandbox.ready(on: network.isolator, network: NetworkedIsolator.network(hosts))
            let state = try #require(try sandbox.state.traffic)
            #expect(state.sentBytes == 0 && state.refusedPackets == 0, "\(state)")
            let run = try sandbox.network(ReadyNetworkTests.reaches)
            #expect(run.output == expected, "\(hosts): \(run)")
            try sandbox.remove()
        }
        // One that wants none has none, not even for a moment.
        let none = try TestSandbox.ready(on: network.isolator)
        let names = try none.network("print(sorted(name for _, name in socket.if_nameindex()))")
        #expect(names.output == "['lo']\n", "\(names)")
        try none.remove()
    }

    private func oneShot(_ network: NetworkedIsolator) throws {
        for (hosts, expected) in [
            (
                [],
                "hello from \(TestWorld.good) hello from \(TestWorld.unnamed) hello from \(TestWorld.good) EHOSTUNREACH\n"
            ),
            (["\(TestWorld.good):8000"], "hello from \(TestWorld.good) EHOSTUNREACH name EHOSTUNREACH\n"),
        ] as [([String], String)] {
            for _ in 0..<3 {
                var request = Run.Request(TestSandbox.client + ReadyNetworkTests.reaches)
                request.network = NetworkedIsolator.network(hosts)
                let run = try network.isolator.ready { try Run.run(request, on: network.isolator) }
                #expect(run.output == expected, "\(hosts): \(run)")
            }
        }
    }

    /// Links before and after one that stood ready was taken, while nothing is made.
    private func ready(_ network: NetworkedIsolator, _ hosts: [String]) throws -> (Int, Int) {
        let first = try TestSandbox(
            on: network.isolator, limits: TestSandbox.standard, network: NetworkedIsolator.network(hosts))
        try first.remove()
        let deadline = MonotonicClock.now + 10_000_000_000
        while network.links.count < 2, MonotonicClock.now < deadline { usleep(50_000) }
        usleep(300_000)
        let before = network.links.count
        let sandbox = try TestSandbox(
            on: network.isolator, limits: TestSandbox.standard, network: NetworkedIsolator.network(hosts))
        let after = network.links.count
        try sandbox.remove()
        return (before, after)
    }
}
