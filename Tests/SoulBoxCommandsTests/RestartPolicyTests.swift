import Testing

@testable import SoulBoxCommands

@Suite("Restart policy")
struct RestartPolicyTests {
    @Test("pauses double up to the longest, and start over after a healthy life")
    func pauses() {
        var policy = RestartPolicy()
        #expect(
            (0..<8).map { _ in policy.next(livedMilliseconds: 10) } == [100, 200, 400, 800, 1600, 3200, 5000, 5000])
        #expect(policy.next(livedMilliseconds: 60_000) == 100)
    }
}
