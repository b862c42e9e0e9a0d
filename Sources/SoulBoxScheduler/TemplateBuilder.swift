internal import Glibc
internal import IsolationProtocol
internal import LinuxKernel
public import Logging
public import SoulBoxExecution
internal import SoulBoxModel
public import SoulBoxStore

/// Builds users' templates, and clears away the images and the sandboxes of builds that nobody needs any more.
///
/// A build belongs to one process by a lease in the database. When that process dies another one begins the build again, in
/// a new sandbox, after it has removed what the earlier attempt left.
public final class TemplateBuilder: Sendable {
    private static let threads = 2
    private static let pauseNanoseconds: UInt64 = 1_000_000_000
    private static let sweepNanoseconds: UInt64 = 5_000_000_000
    /// How often sandboxes of builds are looked for: only a process that died leaves one.
    private static let sandboxNanoseconds: UInt64 = 60_000_000_000
    private static let finishNanoseconds: UInt64 = 60_000_000_000

    private let store: TemplateStore
    private let connections: IsolatorConnections
    private let settings: TemplateSettings
    private let process: [UInt8]
    private let log: Logger
    private let state = Monitor((running: 0, isStopping: false))

    /// Makes a builder.
    public init(
        store: TemplateStore, connections: IsolatorConnections, settings: TemplateSettings, process: [UInt8],
        log: Logger
    ) {
        self.store = store
        self.connections = connections
        self.settings = settings
        self.process = process
        self.log = log
    }

    /// Starts its threads.
    public func start() {
        for number in 0..<TemplateBuilder.threads {
            WorkerThread.start(name: "templates-\(number)") { [self] in serve() }
        }
        WorkerThread.start(name: "templates-sweep") { [self] in keepClean() }
    }

    /// Takes nothing more, and puts back what is in progress within that many seconds.
    public func stop(within seconds: UInt64) {
        state.update { $0.isStopping = true }
        _ = state.wait(until: MonotonicClock.now + seconds * 1_000_000_000) { $0.running == 0 ? true : nil }
    }

    private func serve() {
        while !pause(TemplateBuilder.pauseNanoseconds) {
            do {
                while !state.read({ $0.isStopping }) {
                    // Asked before each: an attempt that could not even begin would be one less.
                    _ = try connections.status(timeoutMilliseconds: 1000)
                    guard let build = try store.takeBuild(process: process) else { break }
                    state.update { $0.running += 1 }
                    carryOut(build)
                    state.update { $0.running -= 1 }
                }
            } catch {
                log.warning("no build was looked for", metadata: ["error": "\(error)"])
            }
        }
    }

    /// Waits; true when the process is to end.
    private func pause(_ nanoseconds: UInt64) -> Bool {
        state.wait(until: MonotonicClock.now + nanoseconds) { $0.isStopping ? true : nil } ?? false
    }

    private func carryOut(_ build: TemplateBuild) {
        let about: Logger.Metadata = ["image": "\(build.image.text)", "attempt": "\(build.attempt)"]
        log.info("building a template", metadata: about)
        let lease = WorkLease("template-lease", log: log) { [store, process] in
            try store.extend(build, process: process)
        }
        let said = TemplateLog { [store, process] text in try store.append(text, to: build, process: process) }
        do {
            try self.build(build, lease, said)
            log.info("template built", metadata: about)
        } catch {
            log.notice("template not built", metadata: about.merging(["error": "\(error)"]) { $1 })
            said.flush()
            settle(build, error)
        }
        lease.end()
        try? removeSandbox(build.sandbox, account: build.account)
    }

    private func build(_ build: TemplateBuild, _ lease: WorkLease, _ said: TemplateLog) throws {
        try removeEarlierAttempts(at: build)
        let steps = TemplateSteps(build, connections: connections, settings: settings, log: said) {
            [state] () throws(TemplateFailure) in
            if lease.isLost || said.isLost { throw .lost }
            if state.read({ $0.isStopping }) { throw .stopping }
        }
        let made = try steps.run()
        // First of all: whatever happens to this process from here on, the image is found.
        guard try store.expectImage(of: build, process: process) else { throw TemplateFailure.lost }
        let size = try connections.with { connection throws(IsolationError) in
            try connection.sealTemplate(
                build.image, from: build.sandbox.text, account: build.account, environment: made.variables)
        }
        said.line("version \(build.version) is ready: \(ByteSize.text(size))")
        said.flush()
        let deadline = MonotonicClock.now + TemplateBuilder.finishNanoseconds
        while true {
            do {
                guard try store.finish(build, process: process, size: size, packages: made.packages) else {
                    throw TemplateFailure.lost
                }
                return
            } catch let error as TemplateFailure {
                throw error
            } catch {
                guard MonotonicClock.now < deadline else { throw error }
                usleep(500_000)
            }
        }
    }

    private func removeEarlierAttempts(at build: TemplateBuild) throws {
        guard build.attempt > 1 else { return }
        for attempt in 1..<build.attempt {
            try removeSandbox(TemplateBuildName(image: build.image, attempt: attempt), account: build.account)
        }
        try connections.with { connection throws(IsolationError) in
            try connection.removeTemplate(build.image, account: build.account)
        }
    }

    private func removeSandbox(_ name: TemplateBuildName, account: String) throws(IsolationError) {
        try connections.with { connection throws(IsolationError) in
            try connection.removeSandbox(name.text, account: account)
        }
    }

    /// Notes how a build ended that did not succeed.
    private func settle(_ build: TemplateBuild, _ error: any Error) {
        do {
            switch error {
            case TemplateFailure.lost: break
            case TemplateFailure.refused(let reason):
                try store.fail(build, process: process, reason: reason)
            case TemplateFailure.stopping: try store.putBack(build, process: process)
            case let error as IsolationError:
                if error.code == .unavailable, build.attempt < TemplateStore.attempts {
                    try store.putBack(build, process: process)
                } else {
                    try store.fail(build, process: process, reason: TemplateBuilder.reason(error))
                }
            default: try store.putBack(build, process: process)
            }
        } catch {
            // The lease ends by itself, and then another attempt begins.
            log.warning(
                "the end of a build was not noted", metadata: ["image": "\(build.image.text)", "error": "\(error)"])
        }
    }

    /// What its owner is told.
    private static func reason(_ error: IsolationError) -> String {
        switch error.code {
        case .networkUnavailable: "this installation gives sandboxes no network: \(error.message)"
        case .noSpace, .conflict: error.message
        case .templateNotFound: "its base is no longer installed"
        case .sandboxNotFound, .sandboxNotRunning: "the sandbox of the build has ended"
        default: "the sandbox of the build could not be made or used"
        }
    }

    private func keepClean() {
        var nextSandboxes = MonotonicClock.now
        while !pause(TemplateBuilder.sweepNanoseconds) {
            do {
                for (image, account) in try store.unusedImages() { remove(image, account) }
                _ = try store.forgetOld()
                guard MonotonicClock.now >= nextSandboxes else { continue }
                nextSandboxes = MonotonicClock.now + TemplateBuilder.sandboxNanoseconds
                try removeAbandonedSandboxes()
            } catch {
                log.warning("templates not swept", metadata: ["error": "\(error)"])
            }
        }
    }

    private func remove(_ image: TemplateImageName, _ account: String) {
        do {
            try connections.with { connection throws(IsolationError) in
                try connection.removeTemplate(image, account: account)
            }
            try store.noteRemoved(image)
        } catch {
            // A sandbox on its way out still has it, for a moment.
            log.notice("an image was left", metadata: ["image": "\(image.text)", "error": "\(error)"])
        }
    }

    private func removeAbandonedSandboxes() throws {
        let states = try connections.with { connection throws(IsolationError) in try connection.sandboxes() }
        for state in states where state.id.hasPrefix(TemplateBuildName.prefix) {
            guard let name = TemplateBuildName(state.id), try !store.isBuilding(name) else { continue }
            log.warning("removing the sandbox of a build that is over", metadata: ["sandbox.id": "\(state.id)"])
            try removeSandbox(name, account: state.account)
        }
    }
}
