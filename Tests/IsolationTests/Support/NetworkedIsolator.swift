import Foundation
import Glibc
import IsolationProtocol
import LinuxKernel
import SoulBoxModel
import TestProcess
import TestWorld

/// An isolator whose sandboxes have a network, with its soulbox-egress, beside the world that they reach.
final class NetworkedIsolator: Sendable {
    /// One for all suites that do not harm it.
    static let shared: NetworkedIsolator = {
        do {
            return try NetworkedIsolator()
        } catch {
            fatalError("the network of the tests did not start: \(error)")
        }
    }()

    let isolator: TestIsolator
    let world: TestWorld
    private let egress: Monitor<TestProcess?>

    init(instance: String? = nil, ready: Int = 0) throws {
        guard let world = TestWorld.shared else { throw IsolationError(.networkUnavailable, "no world") }
        self.world = world
        isolator = try TestIsolator(concurrent: 32, instance: instance, resolver: TestWorld.resolver, ready: ready)
        egress = Monitor(nil)
        try startEgress()
    }

    /// Starts soulbox-egress, and waits until the isolator knows where it listens.
    func startEgress() throws {
        let user = TestIsolator.egressUser(of: isolator.instance)
        let log = isolator.runDirectory + "/egress.log"
        // The service's own configuration is root's alone there; this one says the same.
        let path = isolator.runDirectory + "/egress.json"
        let text = try String(contentsOfFile: isolator.runDirectory + "/config.json", encoding: .utf8)
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        chmod(path, 0o644)
        let before = connections
        let process = try TestProcess(
            TestIsolator.binaries + "/soulbox-egress", ["--config", path], log: log, user: user, group: user,
            parentDeathSignal: SIGKILL)
        egress.update { $0 = process }
        let deadline = MonotonicClock.now + 10_000_000_000
        while connections <= before {
            guard process.isRunning, MonotonicClock.now < deadline else {
                throw IsolationError(.unavailable, (try? String(contentsOfFile: log, encoding: .utf8)) ?? "no log")
            }
            usleep(20_000)
        }
    }

    /// How often soulbox-egress has connected, as the isolator says.
    private var connections: Int {
        let log = try? String(contentsOfFile: isolator.runDirectory + "/isolator.log", encoding: .utf8)
        return (log ?? "").components(separatedBy: "soulbox-egress is connected").count - 1
    }

    /// Ends soulbox-egress as a crash would.
    func killEgress() {
        let process = egress.read { $0 }
        process?.signal(SIGKILL)
        process?.waitForExit()
    }

    /// Ends both.
    func stop() {
        killEgress()
        isolator.stop()
    }

    /// A running sandbox that may reach these places; none means everything public.
    func sandbox(_ hosts: [String]) throws -> TestSandbox {
        try TestSandbox(on: isolator, network: NetworkedIsolator.network(hosts))
    }

    static func network(_ hosts: [String]) -> SandboxNetwork {
        SandboxNetwork(enabled: true, allowedHosts: hosts.compactMap(AllowedHost.init))
    }

    /// The rules and elements of its table, as nft prints them.
    func table(_ what: String = "table") throws -> String {
        let log = isolator.runDirectory + "/nft.out"
        try? FileManager.default.removeItem(atPath: log)
        let process = try TestProcess(
            "/usr/sbin/nft", ["list", "table", "inet", "soulbox_\(isolator.instance)"], log: log)
        _ = process.waitForExit(seconds: 20)
        return try String(contentsOfFile: log, encoding: .utf8)
    }

    /// The links of its sandboxes on the host.
    var links: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "/sys/class/net")) ?? [])
            .filter { $0.hasPrefix("sb\(isolator.instance)-") }
    }
}

extension TestSandbox {
    /// Python that tries to connect and prints what came: the first line of the server, or the error's name.
    static let client = """
        import socket, errno, sys
        def reach(host, port, timeout=3, send=None):
            try:
                s = socket.create_connection((host, port), timeout=timeout)
                s.settimeout(timeout)
                if send: s.sendall(send)
                return s.recv(100).decode().strip() or 'closed'
            except socket.gaierror as e:
                return 'name'
            except (TimeoutError, socket.timeout):
                return 'timeout'
            except OSError as e:
                return errno.errorcode.get(e.errno, str(e))

        """

    /// Runs a program that begins with `client`.
    func network(_ code: String, milliseconds: Int = 60_000) throws -> Run {
        try python(TestSandbox.client + code, milliseconds: milliseconds)
    }
}
