import LinuxKernel
import Testing

@Suite("Monitor")
struct MonitorTests {
    @Test("a waiting thread sees a change, or its deadline")
    func wait() {
        let monitor = Monitor(0)
        WorkerThread.start(name: "changer") { for _ in 0..<5 { monitor.update { $0 += 1 } } }
        #expect(monitor.wait(until: MonotonicClock.now + 5_000_000_000) { $0 == 5 ? true : nil } == true)
        let begin = MonotonicClock.now
        #expect(monitor.wait(until: begin + 30_000_000) { $0 == 6 ? true : nil } == nil)
        #expect(MonotonicClock.now - begin >= 30_000_000)
    }
}
