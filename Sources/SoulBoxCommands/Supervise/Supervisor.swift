import Glibc
import IsolationProtocol
import LinuxKernel
import Logging
import SoulBoxModel
import SoulBoxService

/// Starts the stack in order, keeps it running, and ends it in order.
final class Supervisor {
    private static let settlingNanoseconds: UInt64 = 4_000_000_000

    private let instance: Instance
    private let configuration: OperatorConfiguration
    private let log: Logger
    private var processes: [ManagedProcess] = []
    private var isReady = false

    init(_ instance: Instance, configuration: OperatorConfiguration, log: Logger) {
        self.instance = instance
        self.configuration = configuration
        self.log = log
    }

    /// Runs the stack until SIGTERM or SIGINT.
    func run(progress: (String) -> Void) throws {
        endLeftovers()
        let account = try ServiceAccount.ensure()
        let web = try ServiceAccount.require("www-data", package: "nginx")
        let resolved = configuration.resolve(instance, account: account)
        try Files.writeAtomically(instance.configurationFile, resolved.json.bytes, mode: 0o640)
        try Files.setOwner(instance.configurationFile, user: 0, group: account.group)
        do {
            try startDatabase(resolved, progress)
            progress("starting the isolation service")
            try startIsolator(resolved)
            if resolved.network.isEnabled { try startEgress(resolved) }
            progress("starting workers and scheduler")
            try makeMetricDirectory(account)
            try startWorkers(resolved, account: account, web: web)
            try startGateways(resolved, account: account, web: web)
            try add(service("soulbox-scheduler", [], account: account), named: "scheduler")
            progress("starting nginx")
            try startProxy(resolved)
            isReady = true
            writeState()
            log.notice("the stack is ready", metadata: ["http.port": "\(configuration.http.port)"])
            tend()
        } catch {
            stop()
            throw error
        }
        stop()
    }

    /// A supervisor that was killed leaves its processes; they end before new ones start.
    private func endLeftovers() {
        guard let state = StackState.read(instance.stateFile) else { return }
        for entry in state.entries.reversed() where ProcessTable.birth(of: entry.pid) == entry.birth {
            log.warning("ending a process that an earlier run left", metadata: ["process": "\(entry.name)"])
            ProcessTable.end(pid: entry.pid, birth: entry.birth, signal: entry.name == "postgres" ? SIGINT : SIGTERM)
        }
    }

    private func startDatabase(_ resolved: ServiceConfiguration, _ progress: (String) -> Void) throws {
        if configuration.database == nil {
            progress("starting PostgreSQL")
            let cluster = PrivateCluster(instance)
            let spawn = try cluster.prepare(log: try openLog("postgres"))
            // Fast shutdown (pg_ctl(1)): sessions end, everything committed stays.
            try add(spawn, named: "postgres", stopSignal: SIGINT)
            try waitFor("PostgreSQL", within: 60, log: "postgres") { cluster.isReady() }
            try cluster.makeDatabase()
        }
        progress("migrating the database")
        try Migration.run(resolved.databaseURL, instance)
    }

    private func startIsolator(_ resolved: ServiceConfiguration) throws {
        try add(
            Spawn(
                path: instance.binaries + "/soulbox-isolator", arguments: ["--config", instance.configurationFile],
                environment: [("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")], log: try openLog("isolator"),
                parentDeathSignal: SIGTERM), named: "isolator")
        try waitFor("the isolation service", within: 20, log: "isolator") {
            IsolatorCheck.answers(resolved.isolatorSocket)
        }
    }

    /// The way of sandboxes to names: a user of its own, and a configuration without what concerns the others alone.
    private func startEgress(_ resolved: ServiceConfiguration) throws {
        let user = resolved.network.egressUser
        var reduced = resolved
        reduced.databaseURL = ""
        reduced.tokens.directory = ""
        let path = instance.egressConfigurationFile
        try Files.writeAtomically(path, reduced.json.bytes, mode: 0o640)
        try Files.setOwner(path, user: 0, group: user)
        try add(
            Spawn(
                path: "\(instance.binaries)/soulbox-egress", arguments: ["--config", path],
                environment: [("PATH", "/usr/bin:/bin")], log: try openLog("egress"), user: user, group: user,
                parentDeathSignal: SIGTERM), named: "egress")
    }

    /// Where the processes count, each in a file of its own. All begin at zero together.
    private func makeMetricDirectory(_ account: ServiceAccount) throws {
        let path = "\(instance.run)/metrics"
        try? Files.removeTree(path)
        try Files.makeDirectory(path, mode: 0o700)
        try Files.setOwner(path, user: account.user, group: account.group)
    }

    private func startWorkers(_ resolved: ServiceConfiguration, account: ServiceAccount, web: ServiceAccount) throws {
        for (pool, size) in [("control", resolved.controlPool), ("execution", resolved.executionPool)] {
            // One socket for all processes of a pool: whoever is free takes the next request, and while one is
            // restarted its requests wait in the backlog.
            let path = "\(instance.run)/\(pool).sock"
            let socket = SharedDescriptor(try UnixSocket.listen(at: path, kind: .stream, mode: 0o660, backlog: 1024))
            try Files.setOwner(path, user: account.user, group: web.group)
            for number in 1...max(1, size.processes) {
                var spawn = try service("soulbox-worker", ["--pool", pool], account: account, log: "worker-\(pool)")
                spawn.input = socket.rawValue
                try add(spawn, named: "worker-\(pool)-\(number)")
            }
            sockets.append(socket)
        }
    }

    /// One socket for all of them, as with workers: while one is restarted the others take its connections.
    private func startGateways(_ resolved: ServiceConfiguration, account: ServiceAccount, web: ServiceAccount) throws {
        let path = "\(instance.run)/gateway.sock"
        let socket = SharedDescriptor(try UnixSocket.listen(at: path, kind: .stream, mode: 0o660, backlog: 1024))
        try Files.setOwner(path, user: account.user, group: web.group)
        // Where they find each other. What an earlier run left there is nobody's.
        let peers = "\(instance.run)/gateways"
        try? Files.removeTree(peers)
        try Files.makeDirectory(peers, mode: 0o700)
        try Files.setOwner(peers, user: account.user, group: account.group)
        for number in 1...max(1, resolved.gateway.processes) {
            var spawn = try service("soulbox-gateway", [], account: account)
            spawn.input = socket.rawValue
            // SIGTERM restarts one, and lets its executions end; this is the end of all.
            try add(spawn, named: "gateway-\(number)", stopSignal: SIGINT)
        }
        sockets.append(socket)
    }

    private var sockets: [SharedDescriptor] = []

    private func startProxy(_ resolved: ServiceConfiguration) throws {
        let nginx = NginxConfiguration(instance, http: configuration.http, resolved)
        try nginx.prepare()
        try add(
            Spawn(
                path: "/usr/sbin/nginx", arguments: ["-c", nginx.file, "-e", "stderr", "-g", "daemon off;"],
                environment: [("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")], log: try openLog("nginx"),
                parentDeathSignal: SIGTERM), named: "nginx", stopSignal: SIGQUIT)
        try waitFor("the API", within: 20, log: "nginx") { HTTPProbe.answers(port: configuration.http.port) }
        // What was started last has just come up: whoever is told that the stack is ready finds it so. A component that is
        // not well, as a disk that is full, keeps nobody from the rest.
        let deadline = MonotonicClock.now + Supervisor.settlingNanoseconds
        while !HTTPProbe.isWell(port: configuration.http.port) {
            guard MonotonicClock.now < deadline else {
                return log.warning("the stack starts with a component that is not well; GET /api/health tells which")
            }
            usleep(50_000)
        }
    }

    private func service(
        _ binary: String, _ arguments: [String], account: ServiceAccount, log name: String? = nil
    ) throws -> Spawn {
        Spawn(
            path: "\(instance.binaries)/\(binary)", arguments: ["--config", instance.configurationFile] + arguments,
            environment: [("PATH", "/usr/bin:/bin")],
            log: try openLog(name ?? binary.replacing("soulbox-", with: "")), user: account.user, group: account.group,
            parentDeathSignal: SIGTERM)
    }

    private var logs: [String: SharedDescriptor] = [:]

    /// The log of a process, appended to; one that has grown past 64 MiB is put aside first.
    private func openLog(_ name: String) throws -> CInt {
        if let known = logs[name] { return known.rawValue }
        let path = "\(instance.logs)/\(name).log"
        if let status = try? Files.status(path), status.size > 64 << 20 { _ = rename(path, path + ".1") }
        let file = SharedDescriptor(try Files.open(path, [.writeOnly, .create, .append], mode: 0o640))
        logs[name] = file
        return file.rawValue
    }

    private func add(_ spawn: Spawn, named name: String, stopSignal: CInt = SIGTERM) throws {
        let process = ManagedProcess(name: name, spawn: spawn, stopSignal: stopSignal)
        do {
            try process.start()
        } catch {
            throw OperatorError("\(name) cannot be started: \(error)", advice: "Is \(spawn.path) there and executable?")
        }
        processes.append(process)
        writeState()
    }

    private func waitFor(_ what: String, within seconds: UInt64, log name: String, _ condition: () -> Bool) throws {
        let deadline = MonotonicClock.now + seconds * 1_000_000_000
        while !condition() {
            guard processes.last?.isRunning ?? true else {
                throw OperatorError("\(what) ended while it started", advice: "See \(instance.logs)/\(name).log.")
            }
            guard MonotonicClock.now < deadline else {
                throw OperatorError("\(what) does not answer", advice: "See \(instance.logs)/\(name).log.")
            }
            usleep(50_000)
        }
    }

    /// Looks after the processes until the stack is to end. SIGHUP makes nginx read its configuration again.
    private func tend() {
        while true {
            switch Signals.wait(for: [SIGTERM, SIGINT, SIGHUP, SIGCHLD], milliseconds: 200) {
            case SIGTERM, SIGINT: return
            case SIGHUP: processes.first { $0.name == "nginx" }?.signal(SIGHUP)
            default: break
            }
            var changed = false
            for process in processes {
                guard let event = process.tend() else { continue }
                changed = true
                log.warning("process \(event)", metadata: ["process": "\(process.name)"])
            }
            if changed { writeState() }
        }
    }

    private func stop() {
        isReady = false
        writeState()
        // From the outside in: no new requests, then those in progress, the database last. Sandboxes end with the stack;
        // only a crash or an upgrade of the isolation service leaves them running.
        for process in processes.reversed() {
            if process.name == "isolator" { stopSandboxes() }
            process.stop(within: 30)
        }
        try? Files.removeTree(instance.stateFile)
    }

    private func stopSandboxes() {
        do throws(IsolationError) {
            try IsolationConnection(path: instance.run + "/isolator.sock").stopAllSandboxes()
        } catch {
            log.warning("sandboxes were not stopped", metadata: ["error": "\(error)"])
        }
    }

    private func writeState() {
        StackState.write(processes, ready: isReady, http: configuration.http, to: instance.stateFile)
    }
}
