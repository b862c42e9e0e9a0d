import Foundation
import IsolationProtocol
import LinuxKernel
import SoulBoxModel
import TestWorld
import Testing

@Suite("Network: many at once", .serialized, .enabled(if: Host.canIsolate))
struct CycleTests {
    /// Eight at once, because what one builder waits for must never be held by what another one makes.
    @Test("80 sandboxes with a network, made and removed by eight callers at once, leave nothing")
    func parallel() throws {
        let network = NetworkedIsolator.shared
        let before = (network.links.count, try network.table().split(separator: "\n").count)
        let left = Monitor((left: Host.repetitions(80), running: 8, failures: [String]()))
        for _ in 0..<8 {
            WorkerThread.start(name: "caller") {
                while left.update({ state -> Bool in
                    state.left -= 1
                    return state.left >= 0
                }) {
                    do {
                        let sandbox = try network.sandbox(["\(TestWorld.good):8000", "x.example"])
                        let run = try sandbox.network("print(reach('\(TestWorld.good)', 8000))")
                        try sandbox.remove()
                        guard run.output != "hello from \(TestWorld.good)\n" else { continue }
                        left.update { $0.failures.append("\(run)") }
                    } catch {
                        left.update { $0.failures.append("\(error)") }
                    }
                }
                left.update { $0.running -= 1 }
            }
        }
        let isOver = left.wait(until: MonotonicClock.now + 240_000_000_000) { $0.running == 0 ? true : nil }
        #expect(isOver == true)
        let failures = left.read { $0.failures }
        #expect(failures.isEmpty, "\(failures.prefix(3))")
        #expect(network.links.count == before.0)
        #expect(try network.table().split(separator: "\n").count <= before.1 + 2)
    }
}
