import Foundation
import Glibc
import LinuxKernel
internal import TestProcess

/// A network outside of the host, made from a network namespace: real servers at addresses that are documented as nobody's
/// (198.51.100.0/24, RFC 5737), a private one behind them, and dnsmasq for the names.
package final class TestWorld: Sendable {
    /// The only one of this process; the tests that use it run one after the other.
    package static let shared: TestWorld? = try? TestWorld()

    /// The server of names.
    package static let resolver = "198.51.100.53"
    /// `good.test`, `*.wild.test`.
    package static let good = "198.51.100.10"
    /// `other.test`.
    package static let other = "198.51.100.11"
    /// No name's.
    package static let unnamed = "198.51.100.12"
    /// `evil.test`: a private address, that the host has a route to.
    package static let hidden = "10.99.0.1"

    private static let namespace = "soulbox-world"
    private static let link = "swhost"

    private let directory: String
    private let processes: [TestProcess]

    private init() throws {
        directory = "/tmp/soulbox-world-\(getpid())"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        TestWorld.clear()
        _ = TestWorld.registration
        let addresses = [TestWorld.resolver, TestWorld.good, TestWorld.other, TestWorld.unnamed]
        try TestWorld.ip("netns", "add", TestWorld.namespace)
        try TestWorld.ip(
            "link", "add", TestWorld.link, "type", "veth", "peer", "name", "world", "netns", TestWorld.namespace)
        try TestWorld.ip("addr", "add", "198.51.100.1/24", "dev", TestWorld.link)
        try TestWorld.ip("link", "set", TestWorld.link, "up")
        for address in addresses { try TestWorld.inside("addr", "add", "\(address)/24", "dev", "world") }
        try TestWorld.inside("link", "set", "lo", "up")
        try TestWorld.inside("link", "set", "world", "up")
        try TestWorld.inside("addr", "add", "\(TestWorld.hidden)/32", "dev", "lo")
        try TestWorld.ip("route", "add", "\(TestWorld.hidden)/32", "via", TestWorld.good)
        let certificate = directory + "/certificate.pem"
        let key = directory + "/key.pem"
        try TestWorld.run(
            "/usr/bin/openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                "-subj", "/CN=good.test", "-keyout", key, "-out", certificate,
            ])
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "world.py").path
        let enter = ["netns", "exec", TestWorld.namespace]
        let reached = addresses.filter { $0 != TestWorld.resolver } + [TestWorld.hidden]
        let output = directory + "/world.out"
        let servers = try TestProcess(
            "/usr/sbin/ip", enter + ["/usr/bin/python3", script, certificate, key, directory + "/log"] + reached,
            log: output, parentDeathSignal: SIGKILL)
        // As root: a process that changes its user loses the signal that ends it with this one.
        let names = try TestProcess(
            "/usr/sbin/ip",
            enter + [
                "/usr/sbin/dnsmasq", "--keep-in-foreground", "--user=root", "--conf-file=/dev/null", "--no-hosts",
                "--no-resolv", "--bind-interfaces", "--listen-address=\(TestWorld.resolver)", "--log-queries",
                "--log-facility=\(directory)/names.log", "--local-ttl=60", "--pid-file=",
                "--address=/good.test/\(TestWorld.good)", "--address=/other.test/\(TestWorld.other)",
                "--address=/wild.test/\(TestWorld.good)", "--address=/evil.test/\(TestWorld.hidden)",
                "--local=/test/",
            ], log: output, parentDeathSignal: SIGKILL)
        processes = [servers, names]
        let deadline = MonotonicClock.now + 10_000_000_000
        while (try? String(contentsOfFile: output, encoding: .utf8))?.contains("ready") != true
            || !FileManager.default.fileExists(atPath: directory + "/names.log")
        {
            guard servers.isRunning, names.isRunning, MonotonicClock.now < deadline else {
                throw SystemCallError(call: "world", errno: ETIMEDOUT)
            }
            usleep(20_000)
        }
    }

    /// What was noted of connections and datagrams to an address, or to an address and a port.
    package func visits(to place: String) -> Int {
        let text = (try? String(contentsOfFile: directory + "/log", encoding: .utf8)) ?? ""
        let wanted = place.contains(":") ? "\(place) " : "\(place):"
        return text.split(separator: "\n").count {
            $0.split(separator: " ", maxSplits: 1).last?.hasPrefix(wanted) == true
        }
    }

    /// How often a name was asked for.
    package func questions(for name: String) -> Int {
        let text = (try? String(contentsOfFile: directory + "/names.log", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").count { $0.contains("query[") && $0.contains(" \(name) ") }
    }

    /// Everything that an earlier or this run has made. What runs in the namespace ends first, whoever started it.
    private static func clear() {
        let output = (try? run("/usr/sbin/ip", ["netns", "pids", namespace])) ?? ""
        for pid in output.split(whereSeparator: \.isWhitespace).compactMap({ pid_t($0) }) where pid > 1 {
            kill(pid, SIGKILL)
        }
        _ = try? ip("link", "del", link)
        _ = try? ip("netns", "del", namespace)
    }

    private static let registration: Int32 = atexit {
        TestWorld.clear()
        try? FileManager.default.removeItem(atPath: "/tmp/soulbox-world-\(getpid())")
    }

    private static func inside(_ arguments: String...) throws {
        try run("/usr/sbin/ip", ["-n", namespace] + arguments)
    }

    private static func ip(_ arguments: String...) throws { try run("/usr/sbin/ip", arguments) }

    @discardableResult
    private static func run(_ path: String, _ arguments: [String]) throws -> String {
        let log = "/tmp/soulbox-world-\(getpid()).out"
        try? FileManager.default.removeItem(atPath: log)
        defer { try? FileManager.default.removeItem(atPath: log) }
        let process = try TestProcess(path, arguments, log: log)
        let status = process.waitForExit(seconds: 30)
        let output = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
        guard status == .exited(0) else { throw WorldError(description: "\(path) \(arguments): \(output)") }
        return output
    }
}

/// What kept the world from being made.
struct WorldError: Error, CustomStringConvertible {
    let description: String
}
