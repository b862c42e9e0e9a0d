import Foundation
import Glibc
import LinuxKernel
import SoulBoxModel
import SoulBoxService
import Yams

/// What the operator decides: the file `soulbox.yml` of the home directory or of `/etc/soulbox`, then the environment.
///
/// Every key has a default; an unknown key is an error, since a misspelt limit must not be silently none.
struct OperatorConfiguration: Decodable {
    /// Ports of the web server.
    struct HTTP: Decodable {
        /// Plain HTTP (int, 8080). `SOULBOX_HTTP_PORT` overrides.
        var port = 8080
        /// TLS (int, 8443). `SOULBOX_HTTPS_PORT` overrides.
        var tlsPort = 8443
        /// A certificate and its key (paths; none: made at the first start).
        var certificate: String?
        var certificateKey: String?
        /// Addresses and networks that get `/api/metrics` without a key (list, empty).
        var metricsAllow: [String] = []

        enum CodingKeys: String, CodingKey, CaseIterable {
            case port
            case tlsPort = "tls_port"
            case certificate
            case certificateKey = "certificate_key"
            case metricsAllow = "metrics_allow"
        }

        init() {}

        init(from decoder: any Decoder) throws {
            try StrictKeys.check(decoder, CodingKeys.self)
            let values = try decoder.container(keyedBy: CodingKeys.self)
            port = try values.decodeIfPresent(Int.self, forKey: .port) ?? port
            tlsPort = try values.decodeIfPresent(Int.self, forKey: .tlsPort) ?? tlsPort
            certificate = try values.decodeIfPresent(String.self, forKey: .certificate)
            certificateKey = try values.decodeIfPresent(String.self, forKey: .certificateKey)
            // As they are read, not as they are written: they go into nginx's configuration.
            metricsAllow = try (values.decodeIfPresent([String].self, forKey: .metricsAllow) ?? []).map { text in
                guard let range = AddressRange(text) else {
                    throw OperatorError(
                        "http.metrics_allow: \(text) is no address", advice: "Write 10.1.2.3, 10.0.0.0/8 or fd00::/8.")
                }
                return range.description
            }
        }
    }

    /// Executions.
    struct Executions: Decodable {
        /// How many run at once (int, 4 × cores).
        var concurrent: Int?
        /// Days that results are kept (int, 7).
        var retentionDays: Int?

        enum CodingKeys: String, CodingKey, CaseIterable {
            case concurrent
            case retentionDays = "retention_days"
        }

        init() {}

        init(from decoder: any Decoder) throws {
            try StrictKeys.check(decoder, CodingKeys.self)
            let values = try decoder.container(keyedBy: CodingKeys.self)
            concurrent = try values.decodeIfPresent(Int.self, forKey: .concurrent)
            retentionDays = try values.decodeIfPresent(Int.self, forKey: .retentionDays)
        }
    }

    /// Persistent sandboxes.
    struct Sandboxes: Decodable {
        /// The largest file that is taken, as `"100M"` or a number of bytes (size, 100M).
        var uploadLimit: Int64?

        enum CodingKeys: String, CodingKey, CaseIterable {
            case uploadLimit = "upload_limit"
        }

        init() {}

        init(from decoder: any Decoder) throws {
            try StrictKeys.check(decoder, CodingKeys.self)
            let values = try decoder.container(keyedBy: CodingKeys.self)
            guard values.contains(.uploadLimit) else { return }
            let text = try values.decode(String.self, forKey: .uploadLimit)
            guard let bytes = ByteSize.parse(text), bytes > 0 else {
                throw OperatorError("sandboxes.upload_limit is no size: \(text)", advice: "Write it as 100M or 2G.")
            }
            uploadLimit = bytes
        }
    }

    /// Images.
    struct Images: Decodable {
        /// Debian's main archive (URI; none: what the host's apt uses). `soulbox image build --mirror` overrides.
        var mirror: String?

        enum CodingKeys: String, CodingKey, CaseIterable {
            case mirror
        }

        init() {}

        init(from decoder: any Decoder) throws {
            try StrictKeys.check(decoder, CodingKeys.self)
            mirror = try decoder.container(keyedBy: CodingKeys.self).decodeIfPresent(String.self, forKey: .mirror)
        }
    }

    /// Users' templates.
    struct Templates: Decodable {
        /// The index that builds install Python packages from (URI; none: what the host's pip uses). Tenants see it.
        var pipIndex: String?

        enum CodingKeys: String, CodingKey, CaseIterable {
            case pipIndex = "pip_index"
        }

        init() {}

        init(from decoder: any Decoder) throws {
            try StrictKeys.check(decoder, CodingKeys.self)
            pipIndex = try decoder.container(keyedBy: CodingKeys.self).decodeIfPresent(String.self, forKey: .pipIndex)
        }
    }

    /// Somebody else who signs tokens for this service's users.
    struct Tokens: Decodable {
        /// What the tokens' `iss` says, what their `aud` must say, and the file with the public keys (RFC 7517).
        var issuer: String?
        var audience: String?
        var keyFile: String?

        enum CodingKeys: String, CodingKey, CaseIterable {
            case issuer, audience
            case keyFile = "key_file"
        }

        init() {}

        init(from decoder: any Decoder) throws {
            try StrictKeys.check(decoder, CodingKeys.self)
            let values = try decoder.container(keyedBy: CodingKeys.self)
            issuer = try values.decodeIfPresent(String.self, forKey: .issuer)
            audience = try values.decodeIfPresent(String.self, forKey: .audience)
            keyFile = try values.decodeIfPresent(String.self, forKey: .keyFile)
        }
    }

    var http = HTTP()
    var images = Images()
    var sandboxes = Sandboxes()
    var templates = Templates()
    var tokens = Tokens()
    var executions = Executions()
    var network = Network()
    var readyPool = ReadyPool()
    var gateway = Gateway()
    var snapshots = Snapshots()
    var alerts = Alerts()
    var reports = Reports()
    /// A PostgreSQL server, as libpq takes it (none: a private cluster). `DATABASE_URL` overrides.
    var database: String?

    enum CodingKeys: String, CodingKey, CaseIterable {
        case http, executions, database, images, tokens, sandboxes, templates, network, gateway, snapshots, alerts,
            reports
        case readyPool = "ready_pool"
    }

    init() {}

    init(from decoder: any Decoder) throws {
        try StrictKeys.check(decoder, CodingKeys.self)
        let values = try decoder.container(keyedBy: CodingKeys.self)
        http = try values.decodeIfPresent(HTTP.self, forKey: .http) ?? http
        executions = try values.decodeIfPresent(Executions.self, forKey: .executions) ?? executions
        database = try values.decodeIfPresent(String.self, forKey: .database)
        images = try values.decodeIfPresent(Images.self, forKey: .images) ?? images
        readyPool = try values.decodeIfPresent(ReadyPool.self, forKey: .readyPool) ?? readyPool
        snapshots = try values.decodeIfPresent(Snapshots.self, forKey: .snapshots) ?? snapshots
        gateway = try values.decodeIfPresent(Gateway.self, forKey: .gateway) ?? gateway
        alerts = try values.decodeIfPresent(Alerts.self, forKey: .alerts) ?? alerts
        reports = try values.decodeIfPresent(Reports.self, forKey: .reports) ?? reports
        network = try values.decodeIfPresent(Network.self, forKey: .network) ?? network
        sandboxes = try values.decodeIfPresent(Sandboxes.self, forKey: .sandboxes) ?? sandboxes
        templates = try values.decodeIfPresent(Templates.self, forKey: .templates) ?? templates
        tokens = try values.decodeIfPresent(Tokens.self, forKey: .tokens) ?? tokens
    }

    /// Reads the file of that instance and the environment.
    static func load(_ instance: Instance) throws -> OperatorConfiguration {
        var configuration = OperatorConfiguration()
        for path in [instance.home + "/soulbox.yml", "/etc/soulbox/soulbox.yml"] where Files.exists(path) {
            let text = try Files.readString(path)
            do {
                configuration = try YAMLDecoder().decode(OperatorConfiguration.self, from: text)
            } catch {
                throw OperatorError("\(path): \(error)", advice: "Correct the file; docs/operations.md lists its keys.")
            }
            break
        }
        let environment = ProcessInfo.processInfo.environment
        func port(_ name: String, _ current: Int) throws -> Int {
            guard let text = environment[name], !text.isEmpty else { return current }
            guard let port = Int(text), (1...65535).contains(port) else {
                throw OperatorError("\(name) is not a port: \(text)", advice: "Give a number from 1 to 65535.")
            }
            return port
        }
        configuration.http.port = try port("SOULBOX_HTTP_PORT", configuration.http.port)
        configuration.http.tlsPort = try port("SOULBOX_HTTPS_PORT", configuration.http.tlsPort)
        if let database = environment["DATABASE_URL"], !database.isEmpty { configuration.database = database }
        let given = [configuration.tokens.issuer, configuration.tokens.audience, configuration.tokens.keyFile]
        if given.contains(where: { $0 != nil }), given.contains(where: { $0?.isEmpty ?? true }) {
            throw OperatorError(
                "tokens needs issuer, audience and key_file together", advice: "Give all three, or none of them.")
        }
        return configuration
    }

    /// What the processes are told.
    func resolve(_ instance: Instance, account: ServiceAccount) -> ServiceConfiguration {
        let cores = max(1, sysconf(CInt(_SC_NPROCESSORS_ONLN)))
        var resolved = ServiceConfiguration(
            instance: instance.name, version: SoulBoxVersion.text, runDirectory: instance.run,
            imageDirectory: instance.images, binaryDirectory: instance.binaries,
            databaseURL: database ?? PrivateCluster(instance).connection,
            isolatorSocket: instance.run + "/isolator.sock",
            serviceUser: account.user, serviceGroup: account.group, cores: cores,
            memoryBytes: Int64(sysconf(CInt(_SC_PHYS_PAGES))) * Int64(sysconf(CInt(_SC_PAGESIZE))))
        resolved.executions.concurrent = executions.concurrent ?? resolved.executions.concurrent
        resolved.executions.retentionDays = executions.retentionDays ?? resolved.executions.retentionDays
        resolved.sandboxDirectory = instance.sandboxes
        network.resolve(&resolved.network)
        readyPool.resolve(&resolved.readyPool)
        gateway.resolve(&resolved.gateway)
        snapshots.resolve(&resolved.snapshots)
        alerts.resolve(&resolved.alerts)
        reports.resolve(&resolved.reports)
        resolved.uploadLimitBytes = sandboxes.uploadLimit ?? resolved.uploadLimitBytes
        resolved.pipIndex = templates.pipIndex ?? PipIndex.host() ?? ""
        resolved.tokens.directory = instance.tokens
        resolved.tokens.issuer = tokens.issuer ?? ""
        resolved.tokens.audience = tokens.audience ?? ""
        resolved.tokens.keyFile = tokens.keyFile ?? ""
        resolved.documentPath = instance.data + "/share/openapi.json"
        return resolved
    }
}
