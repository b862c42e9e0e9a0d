import Foundation
import Glibc
import LinuxKernel
import SoulBoxModel
import TestProcess
import Testing

/// A stack of the tests' own on which webhooks may go to one address of this machine, and who waits for them there.
final class AlertWorld: Sendable {
    static let secret = "a secret of 26 characters "
    /// Where webhooks may go; `localhost` is another.
    static let address = "127.0.0.2"

    let stack: TestStack
    let receiver: Int
    /// Its certificate nobody knows.
    let tlsReceiver: Int
    /// Its certificate is among those that the stack trusts.
    let trustedReceiver: Int
    private let processes: [TestProcess]

    init() throws {
        let certificates = "/tmp/soulbox-test-certificates-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: certificates) }
        _ = try TestStack.shell(
            """
            mkdir -m 700 '\(certificates)' && cd '\(certificates)' && for name in unknown trusted; do
              openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=$name \
                -addext subjectAltName=IP:\(AlertWorld.address) -keyout $name.key -out $name.crt 2> /dev/null
              cat $name.key $name.crt > $name.pem
            done
            cat /etc/ssl/certs/ca-certificates.crt trusted.crt > bundle
            """)
        stack = try TestStack(
            configuration: """
                executions:
                  concurrent: 1
                alerts:
                  allow_private_webhooks: [\(AlertWorld.address)/32]
                """, trusting: certificates + "/bundle")
        receiver = try FreePort.find()
        tlsReceiver = try FreePort.find()
        trustedReceiver = try FreePort.find()
        let home = stack.home
        try AlertPeer.program.write(toFile: home + "/peer.py", atomically: true, encoding: .utf8)
        for name in ["unknown", "trusted"] {
            try FileManager.default.moveItem(atPath: "\(certificates)/\(name).pem", toPath: "\(home)/\(name).pem")
        }
        func peer(_ arguments: [String]) throws -> TestProcess {
            try TestProcess(
                "/usr/bin/python3", ["\(home)/peer.py"] + arguments, environment: ["PATH": "/usr/bin:/bin"],
                log: "\(home)/peer.log")
        }
        processes = [
            try peer(["http", "\(home)/received", AlertWorld.address, "\(receiver)", AlertWorld.secret]),
            // Where `localhost` leads to.
            try peer(["http", "\(home)/local", "127.0.0.1", "\(receiver)", AlertWorld.secret]),
            try peer([
                "tls", "\(home)/encrypted", AlertWorld.address, "\(tlsReceiver)", AlertWorld.secret,
                "\(home)/unknown.pem",
            ]),
            try peer([
                "tls", "\(home)/trusted", AlertWorld.address, "\(trustedReceiver)", AlertWorld.secret,
                "\(home)/trusted.pem",
            ]),
            try peer(["monitor", "\(home)/monitor", "\(stack.port)", stack.key]),
        ]
    }

    func stop() {
        for process in processes { process.signal(SIGKILL) }
        stack.stop()
    }

    /// The lines of a peer's file: `received`, `local`, `encrypted`, `trusted`, `monitor`.
    func lines(_ name: String) -> [JSONValue] {
        let text = (try? String(contentsOfFile: "\(stack.home)/\(name)", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").compactMap { try? JSONParser.parse(Array($0.utf8)) }
    }

    /// What came to a path of the receiver.
    func received(_ path: String) -> [JSONValue] { lines("received").filter { $0["path"] == .string(path) } }

    func url(_ path: String) -> String { "http://\(AlertWorld.address):\(receiver)\(path)" }

    /// Makes a rule and gives its identifier.
    func makeRule(
        _ metric: String, _ comparison: String, _ threshold: Double, for time: String = "0s", webhook: String? = nil
    ) async throws -> String {
        var body = JSONObject([
            ("name", .string("test \(UUID().uuidString)")), ("metric", .string(metric)),
            ("comparison", .string(comparison)), ("threshold", .number(threshold)), ("for", .string(time)),
            ("severity", "critical"),
        ])
        if let webhook { body["webhook"] = ["url": .string(webhook), "secret": .string(AlertWorld.secret)] }
        let answer = try await stack.send("POST", "/api/alerts/rules", body: JSONValue.object(body).bytes)
        #expect(answer.status == 201, "\(answer.text)")
        #expect(!answer.text.contains(AlertWorld.secret))
        return try #require(answer.json["rule_id"]?.stringValue)
    }

    /// Alerts of a rule that stand so, in any way when no status is given.
    func alerts(of rule: String, _ status: String? = nil) async throws -> [JSONValue] {
        var found: [JSONValue] = []
        for status in status.map({ [$0] }) ?? ["active", "acknowledged", "resolved"] {
            let answer = try await stack.send("GET", "/api/alerts?limit=1000&status=\(status)")
            found += (answer.json["alerts"]?.arrayValue ?? []).filter { $0["rule_id"] == .string(rule) }
        }
        return found
    }

    /// Waits for an alert of a rule to stand so, and gives it with its history.
    func awaitAlert(of rule: String, _ status: String, seconds: Double = 40) async throws -> JSONValue {
        var id: String?
        #expect(
            try await AlertWorld.wait(seconds: seconds) {
                id = try await alerts(of: rule, status).first?["alert_id"]?.stringValue
                return id != nil
            }, "no alert is \(status)")
        return try await stack.send("GET", "/api/alerts/\(try #require(id))").json
    }

    /// Asks again and again; whether it came true in that time.
    static func wait(seconds: Double, _ condition: () async throws -> Bool) async throws -> Bool {
        let deadline = Date().addingTimeInterval(seconds)
        while Date() < deadline {
            if try await condition() { return true }
            try await Task.sleep(for: .milliseconds(200))
        }
        return false
    }

    /// What the database says.
    func query(_ statement: String) throws -> String {
        try TestStack.shell(
            "psql --no-psqlrc -qAt 'host=/run/soulbox/\(stack.instance)/postgres user=postgres dbname=soulbox' "
                + "--command \"\(statement)\"")
    }

    /// The process that decides about alerts; nil while none does.
    func leader() throws -> Int32? {
        let name = try query(
            "SELECT split_part(application_name, ' ', 3) FROM pg_stat_activity a JOIN pg_locks l USING (pid) "
                + "WHERE l.locktype = 'advisory' AND l.granted AND a.application_name LIKE 'soulbox alerts %'")
        return Int32(name.trimmingCharacters(in: .whitespacesAndNewlines))
    }
}
