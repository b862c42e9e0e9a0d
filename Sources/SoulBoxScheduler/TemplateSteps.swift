internal import Glibc
internal import IsolationProtocol
internal import LinuxKernel
internal import SoulBoxExecution
internal import SoulBoxModel
internal import SoulBoxStore

/// The steps of one build, in a sandbox made for it.
///
/// Everything that a tenant wrote runs in the sandbox and nowhere else; what comes back from there is text for its owner.
struct TemplateSteps {
    /// How long one look at a step's output waits before it is seen whether the build is still wanted.
    private static let waitMilliseconds = 1000

    /// How many packages are told of.
    private static let packagesLimit = 500

    let build: TemplateBuild
    let connections: IsolatorConnections
    let settings: TemplateSettings
    let log: TemplateLog
    /// Throws when the build is not to go on.
    let check: () throws(TemplateFailure) -> Void
    private let deadline: UInt64
    private let hasNetwork: Bool

    init(
        _ build: TemplateBuild, connections: IsolatorConnections, settings: TemplateSettings, log: TemplateLog,
        check: @escaping () throws(TemplateFailure) -> Void
    ) {
        self.build = build
        self.connections = connections
        self.settings = settings
        self.log = log
        self.check = check
        deadline = MonotonicClock.now + UInt64(settings.timeoutSeconds) * 1_000_000_000
        // Where nothing of the tenant's runs, nothing needs the network.
        hasNetwork = !build.spec.packages.isEmpty || !build.spec.setup.isEmpty
    }

    private var sandbox: String { build.sandbox.text }

    /// Makes the sandbox and carries out every step; gives what was installed, and the variables of the template.
    func run() throws -> (packages: [ImageManifest.Package], variables: [ExecutionSpec.Variable]) {
        log.line("building version \(build.version) on \(build.spec.base)")
        try makeSandbox()
        let certificates = hasNetwork ? try? Files.read(settings.certificates, maximum: 8 << 20) : nil
        let environment = TemplateEnvironment(
            build, pipIndex: settings.pipIndex, hasCertificates: certificates != nil)
        if let certificates { try place(certificates, environment) }
        for file in build.spec.files {
            try check()
            log.line("file \(file.path): \(file.contents.count) bytes")
            try write(file)
        }
        if !build.spec.packages.isEmpty {
            log.line("packages: " + build.spec.packages.joined(separator: ", "))
            // As arguments, of which none can be an option.
            let arguments = ["/usr/bin/python3", "-m", "pip", "install", "--"] + build.spec.packages
            try require(try execute(arguments, environment.build), "packages")
        }
        for (index, command) in build.spec.setup.enumerated() {
            log.line("$ \(command)")
            try require(try execute(["/bin/sh", "-c", command], environment.build), "setup[\(index)]")
        }
        return (hasNetwork ? installed(environment) : [], environment.image)
    }

    private func makeSandbox() throws {
        try isolate { connection throws(IsolationError) in
            _ = try connection.createSandbox(
                sandbox, account: build.account, template: build.spec.base,
                limits: SandboxLimits(
                    memoryBytes: settings.memoryBytes, cpuMillicores: settings.cpuMillicores,
                    processes: settings.processes, diskBytes: settings.diskBytes),
                network: hasNetwork ? SandboxNetwork(enabled: true, allowedHosts: []) : .none)
        }
    }

    /// Puts the host's certificates where no command of the template's meets them by chance.
    private func place(_ certificates: [UInt8], _ environment: TemplateEnvironment) throws {
        let name = ".soulbox-certificates"
        try write(InputFile(path: name, contents: certificates))
        let moved = try execute(
            ["/bin/mv", "/workspace/\(name)", TemplateEnvironment.certificates], environment.image, isTold: false)
        guard moved.end == nil else { throw TemplateFailure.refused("the certificates could not be placed") }
    }

    private func write(_ file: InputFile) throws {
        try isolate { connection throws(IsolationError) in
            let descriptor = try connection.beginUpload(in: sandbox, account: build.account)
            do throws(SystemCallError) {
                try Files.write(to: descriptor.rawValue, file.contents)
            } catch {
                throw IsolationError(
                    error.errno == ENOSPC ? .noSpace : .isolationFailed, "the disk of the build is full")
            }
            _ = try connection.commitUpload(file.path, lasting: false, in: sandbox, account: build.account)
        }
    }

    /// The packages that are there beside the base's own.
    private func installed(_ environment: TemplateEnvironment) -> [ImageManifest.Package] {
        guard build.runtime == .python,
            let listed = try? execute(
                ["/usr/bin/python3", "-m", "pip", "list", "--user", "--format=json"], environment.build, isTold: false),
            listed.end == nil, let items = (try? JSONParser.parse(listed.output))?.arrayValue
        else { return [] }
        return items.prefix(TemplateSteps.packagesLimit).compactMap { item in
            guard let name = item["name"]?.stringValue, let version = item["version"]?.stringValue else { return nil }
            return .init(name: String(name.prefix(200)), version: String(version.prefix(100)))
        }
    }

    private func require(_ step: (end: String?, output: [UInt8]), _ name: String) throws(TemplateFailure) {
        if let end = step.end { throw .refused("\(name) \(end)") }
    }

    /// Runs a program to its end, with everything that it has started; how it failed is nil when it did not.
    ///
    /// - Parameter isTold: Whether its output goes into the log; else it is given back.
    private func execute(
        _ arguments: [String], _ environment: [ExecutionSpec.Variable], isTold: Bool = true
    ) throws -> (end: String?, output: [UInt8]) {
        try check()
        let process = try isolate { connection throws(IsolationError) in
            try connection.startProcess(
                arguments: arguments, environment: environment, directory: "/workspace", in: sandbox,
                account: build.account)
        }
        var output: [UInt8] = []
        var offset: Int64 = 0
        var ended: SandboxProcess?
        while true {
            try check()
            guard MonotonicClock.now < deadline else {
                throw TemplateFailure.refused("the build took longer than \(settings.timeoutSeconds) seconds")
            }
            let piece = try isolate { connection throws(IsolationError) in
                try connection.readProcess(
                    process.pid, after: offset, waitMilliseconds: ended == nil ? TemplateSteps.waitMilliseconds : 0,
                    in: sandbox, account: build.account)
            }
            for entry in piece.entries {
                if entry.offset > offset { log.line("… \(entry.offset - offset) bytes were too fast to be kept") }
                offset = entry.offset + Int64(entry.bytes.count)
                if isTold { log.write(entry.bytes) } else if entry.stream == "stdout" { output += entry.bytes }
            }
            offset = max(offset, piece.next)
            log.flushIfDue()
            // A child may hold the pipe open for longer: what counts is the program itself.
            if ended != nil, piece.entries.isEmpty { break }
            if ended == nil, piece.entries.isEmpty { ended = try end(of: process.pid) }
        }
        try isolate { connection throws(IsolationError) in
            try connection.removeProcess(process.pid, in: sandbox, account: build.account)
        }
        return (TemplateSteps.failure(of: ended), output)
    }

    /// How a process ended; nil while it runs.
    private func end(of pid: Int32) throws -> SandboxProcess? {
        let processes = try isolate { connection throws(IsolationError) in
            try connection.processes(in: sandbox, account: build.account)
        }
        return processes.first { $0.pid == pid && !$0.isRunning }
    }

    private static func failure(of process: SandboxProcess?) -> String? {
        if let signal = process?.signal { return "was ended by \(signal)" }
        guard let code = process?.exitCode, code != 0 else { return nil }
        return "exited with \(code)"
    }

    private func isolate<Value>(
        _ body: (IsolationConnection) throws(IsolationError) -> Value
    ) throws(IsolationError) -> Value {
        try connections.with(body)
    }
}
