import Foundation
import Glibc
import IsolationProtocol
import LinuxKernel
import SoulBoxModel
import TestProcess
import TestWorld
import Testing

@Suite("Network: links and rules", .serialized, .enabled(if: Host.canIsolate))
struct LinkTests {
    private let network = NetworkedIsolator.shared

    /// A program that holds a connection open and says every 100 ms whether it still lives; it ends when it does not.
    private static let talker = """
        import time
        s = socket.create_connection(('\(TestWorld.good)', 8000)); s.settimeout(0.5)
        s.recv(100)
        open('talking', 'w').close()
        while True:
            try:
                s.sendall(b'ping'); assert s.recv(100); open('alive', 'w').write(str(time.time()))
            except (OSError, AssertionError): print('dead'); break
            time.sleep(0.1)
        """

    private func startTalking(_ sandbox: TestSandbox) throws -> Monitor<Run?> {
        let result = Monitor<Run?>(nil)
        WorkerThread.start(name: "talker") {
            let run = try? sandbox.network(LinkTests.talker)
            result.update { $0 = run ?? Run() }
        }
        let deadline = MonotonicClock.now + 20_000_000_000
        let connection = try sandbox.connect()
        while (try? connection.stat("talking", in: sandbox.id, account: sandbox.account)) == nil {
            guard MonotonicClock.now < deadline else { throw IsolationError(.unavailable, "no connection came about") }
            usleep(20_000)
        }
        return result
    }

    @Test("84: a place that is taken off the list is cut off at once, and one that is added is reached")
    func update() throws {
        let sandbox = try network.sandbox(["\(TestWorld.good)/32", "\(TestWorld.other):8000"])
        let talk = try startTalking(sandbox)
        #expect(talk.read { $0 } == nil)
        // Unchanged for what it talks to: the connection lives on.
        var change = NetworkedIsolator.network(["\(TestWorld.good):8000"])
        let connection = try sandbox.connect()
        var state = try connection.updateSandbox(
            sandbox.id, account: sandbox.account, limits: TestSandbox.limits, network: change)
        #expect(state.network == change)
        #expect(try sandbox.network("print(reach('\(TestWorld.other)', 8000))").output == "EHOSTUNREACH\n")
        usleep(600_000)
        #expect(talk.read { $0 } == nil)
        change = NetworkedIsolator.network(["\(TestWorld.other):8000"])
        state = try connection.updateSandbox(
            sandbox.id, account: sandbox.account, limits: TestSandbox.limits, network: change)
        let ended = talk.wait(until: MonotonicClock.now + 2_000_000_000) { $0 }
        #expect(ended?.output == "dead\n", "\(String(describing: ended))")
        #expect(
            try sandbox.network("print(reach('\(TestWorld.other)', 8000))").output == "hello from \(TestWorld.other)\n")
        // Off and on again while it runs.
        _ = try connection.updateSandbox(
            sandbox.id, account: sandbox.account, limits: TestSandbox.limits, network: .some(.none))
        #expect(try sandbox.network("print(reach('\(TestWorld.other)', 8000))").output == "ENETUNREACH\n")
        _ = try connection.updateSandbox(
            sandbox.id, account: sandbox.account, limits: TestSandbox.limits, network: NetworkedIsolator.network([]))
        #expect(
            try sandbox.network("print(reach('\(TestWorld.other)', 8000))").output == "hello from \(TestWorld.other)\n")
        try sandbox.remove()
    }

    @Test("85: rules stand before the link is up; stopping, starting and removing leave nothing behind")
    func nothingLeft() throws {
        let links = network.links
        let sandbox = try network.sandbox(["\(TestWorld.good):8000", "192.0.2.0/24", "192.0.2.128/25", "203.0.113.1"])
        #expect(network.links.count == links.count + 1)
        let connection = try sandbox.connect()
        _ = try connection.stopSandbox(sandbox.id, account: sandbox.account)
        #expect(network.links == links)
        _ = try connection.startSandbox(sandbox.id, account: sandbox.account)
        let run = try sandbox.network("print(reach('\(TestWorld.unnamed)', 8000), reach('\(TestWorld.good)', 8000))")
        #expect(run.output == "EHOSTUNREACH hello from \(TestWorld.good)\n", "\(run)")
        try sandbox.remove()
        #expect(network.links == links)
        #expect(!(try network.table()).contains("192.0.2.0"))
    }

    @Test("88: connections are counted, and a flood is refused")
    func flood() throws {
        let sandbox = try network.sandbox([])
        let run = try sandbox.network(
            """
            import time
            kept = []; refused = 0
            for i in range(1000):
                s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                try:
                    s.connect(('\(TestWorld.good)', 9000)); s.sendto(b'x', ('\(TestWorld.good)', 9000)); kept.append(s)
                except OSError: refused += 1
                if len(kept) > 500: kept = kept[250:]
                time.sleep(0.006)
            answers = 0
            print('done')
            """)
        #expect(run.output == "done\n", "\(run)")
        // At most 256 at once were let through; the rest is counted as refused.
        let traffic = try #require(try sandbox.state.traffic)
        #expect(traffic.refusedPackets > 300, "\(traffic)")
        let other = try network.sandbox([])
        #expect(try other.network("print(reach('\(TestWorld.good)', 8000))").output == "hello from \(TestWorld.good)\n")
        try sandbox.remove()
        try other.remove()
    }

    @Test(
        "38, 40: rules that somebody flushes or removes are restored, and nothing is reached meanwhile that must not be"
    )
    func flushed() throws {
        let sandbox = try network.sandbox(["\(TestWorld.good):8000"])
        for command in ["flush", "delete"] {
            let status = try TestProcess(
                "/usr/sbin/nft", [command, "table", "inet", "soulbox_\(network.isolator.instance)"]
            ).waitForExit(seconds: 20)
            #expect(status == .exited(0))
            let deadline = MonotonicClock.now + 10_000_000_000
            while (try? network.table())?.contains("chain outgoing") != true
                || (try? network.table())?.contains("@range_ports accept") != true, MonotonicClock.now < deadline
            { usleep(50_000) }
            let run = try sandbox.network("print(reach('\(TestWorld.other)', 8000), reach('\(TestWorld.good)', 8000))")
            #expect(run.output == "EHOSTUNREACH hello from \(TestWorld.good)\n", "\(command): \(run)")
        }
        try sandbox.remove()
    }

    @Test("1, 2: kill -9 of the isolator: the network goes on under its rules, and is taken over")
    func adopted() throws {
        let own = try NetworkedIsolator()
        let sandbox = try own.sandbox(["\(TestWorld.good):8000"])
        let connection = try sandbox.connect()
        let program = (TestSandbox.client + LinkTests.talker).replacing("open('", with: "open('/workspace/")
        let background = try connection.startProcess(
            arguments: ["/usr/bin/python3", "-c", program], environment: [], directory: "/workspace", in: sandbox.id,
            account: sandbox.account)
        let deadline = MonotonicClock.now + 20_000_000_000
        while (try? connection.stat("alive", in: sandbox.id, account: sandbox.account)) == nil,
            MonotonicClock.now < deadline
        { usleep(20_000) }
        own.isolator.process.signal(SIGKILL)
        own.isolator.process.waitForExit()
        let second = try TestIsolator(instance: own.isolator.instance, resolver: TestWorld.resolver)
        defer { second.stop() }
        let after = TestSandbox(adopted: sandbox.id, on: second)
        let processes = try after.connect().processes(in: after.id, account: after.account)
        #expect(processes.first { $0.pid == background.pid }?.isRunning == true, "\(processes)")
        let run = try after.network("print(reach('\(TestWorld.other)', 8000), reach('\(TestWorld.good)', 8000))")
        #expect(run.output == "EHOSTUNREACH hello from \(TestWorld.good)\n", "\(run)")
        #expect(own.links.count == 1)
        try after.remove()
        #expect(own.links.isEmpty)
    }
}
