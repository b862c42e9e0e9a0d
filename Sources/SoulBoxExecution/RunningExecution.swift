internal import Glibc
internal import IsolationProtocol
internal import LinuxKernel
internal import SoulBoxModel

/// An execution between its call and its end: one loop over its output, its events and its client.
final class RunningExecution {
    /// A program that is over sooner is not worth a note that it runs; where the caller waits for its end, still less.
    private static let noticeNanoseconds: (followed: UInt64, awaited: UInt64) = (20_000_000, 100_000_000)
    /// For how long nobody looks at the output of a program that begins, where nobody follows it: one that is over by then is read
    /// once, and each look before would take the processor from it. The pipes hold 64 KiB.
    private static let quietNanoseconds: UInt64 = 2_000_000
    private static let retryNanoseconds: UInt64 = 50_000_000
    private static let orderNanoseconds: UInt64 = 10_000_000
    /// What the service may take beyond the limits that it enforces itself: waiting for a turn, making, cleaning up.
    private static let graceSeconds = 60

    /// How long nothing may begin before it is looked whether the service answers at all, and how long it may then take.
    private static let silenceNanoseconds: UInt64 = 5_000_000_000
    private static let answerMilliseconds: CInt = 2000
    private static let patience = 3

    private let request: ExecutionRequest
    private let connection: IsolationConnection
    private let connections: IsolatorConnections
    private var streams: ExecutionStreams
    private let input: LiveInput
    private let limits: ExecutionRunner.Limits
    private let deadline: UInt64
    private let beganAt = MonotonicClock.now
    private var clientDescriptor: CInt
    private var startedAt: Timestamp?
    private var lookAt = MonotonicClock.now + RunningExecution.silenceNanoseconds
    private var silences = 0
    private var noticeAt: UInt64?
    private var quietUntil: UInt64 = 0
    private var isNoticed = false
    private var takesOutput = true
    private var ending: TerminationReason?
    private var endAt: UInt64?
    /// What is still to be done to the program, and when it is tried again.
    private var orders: [LiveOrder] = []
    private var ordersAt: UInt64?
    private var compile: StageOutcome?
    private var artifacts = ArtifactReader()

    init(
        _ request: ExecutionRequest, connection: IsolationConnection, connections: IsolatorConnections,
        streams: ExecutionStreams, input: LiveInput, limits: ExecutionRunner.Limits, compileTimeoutSeconds: Int
    ) {
        self.request = request
        self.connection = connection
        self.connections = connections
        self.streams = streams
        self.input = input
        self.limits = limits
        let seconds =
            request.spec.limits.timeoutMilliseconds / 1000 + compileTimeoutSeconds + RunningExecution.graceSeconds
        deadline = MonotonicClock.now + UInt64(seconds) * 1_000_000_000
        clientDescriptor = request.clientDescriptor ?? -1
    }

    /// Waits for the last event.
    func waitForEnd(started: () -> Bool) -> ExecutionResult {
        withUnsafeTemporaryAllocation(byteCount: 65_536, alignment: 8) { buffer in
            do throws(IsolationError) {
                while true {
                    try wait()
                    streams.read(using: buffer, takesOutput: takesOutput)
                    followOrders()
                    if streams.droppedBytes > limits.output.dropped { end(.outputLimit) }
                    while let event = try connection.nextEvent() {
                        guard event.isLast else {
                            handle(event)
                            continue
                        }
                        streams.drain(using: buffer)
                        connections.giveBack(connection)
                        return result(of: event)
                    }
                    notice(started)
                    try terminateIfDue()
                    try look()
                    if MonotonicClock.now > deadline { throw IsolationError(.unavailable, "no end in time") }
                }
            } catch {
                // Dropping the connection ends whatever still runs.
                streams.drain(using: buffer)
                return lost(error)
            }
        }
    }

    private func wait() throws(IsolationError) {
        let now = MonotonicClock.now
        let abandonedAt = ending == nil ? request.live?.abandonedAt : nil
        let isQuiet = now < quietUntil
        let moments: [UInt64?] = [
            deadline, isNoticed ? nil : noticeAt, endAt, abandonedAt, ordersAt, startedAt == nil ? lookAt : nil,
            isQuiet ? quietUntil : nil,
        ]
        let next = moments.compactMap { $0 }.min() ?? deadline
        // What nobody takes stays in the pipe, where it holds the program up.
        takesOutput = request.live?.takesOutput ?? true
        var entries = [
            PollEntry(descriptor: connection.pollDescriptor, events: .input),
            PollEntry(descriptor: clientDescriptor, events: .remoteHangUp),
            PollEntry(descriptor: takesOutput && !isQuiet ? streams.stdout.pollDescriptor : -1, events: .input),
            PollEntry(descriptor: takesOutput && !isQuiet ? streams.stderr.pollDescriptor : -1, events: .input),
            PollEntry(descriptor: streams.compile?.pollDescriptor ?? -1, events: .input),
            PollEntry(descriptor: streams.results?.pollDescriptor ?? -1, events: .input),
            PollEntry(descriptor: request.live?.wake.pollDescriptor ?? -1, events: .input),
            PollEntry(descriptor: input.pollDescriptor, events: .output),
        ]
        do {
            _ = try Poll.wait(&entries, timeout: next > now ? CInt(clamping: (next - now) / 1_000_000 + 1) : 0)
        } catch {
            throw IsolationError(.unavailable, error.description)
        }
        if !entries[1].returned.isEmpty {
            // A descriptor that has hung up stays readable for ever: look no more.
            clientDescriptor = -1
            end(.cancelled)
        }
        if !entries[6].returned.isEmpty { request.live?.wake.clear() }
        if let abandonedAt, MonotonicClock.now >= abandonedAt { end(.cancelled) }
    }

    /// Does what those who follow the execution want.
    private func followOrders() {
        guard let live = request.live else { return }
        if live.isCancelled { end(.cancelled) }
        input.write()
        // What comes before the program and its terminal are there waits for them.
        guard startedAt != nil else { return }
        if let ordersAt, MonotonicClock.now < ordersAt { return }
        ordersAt = nil
        while true {
            if orders.isEmpty { orders = live.takeOrders() }
            guard let order = orders.first else { return }
            do {
                switch order {
                case .signal(let number):
                    // A program may have printed something before the service knows it to run: asked again soon, and as long
                    // as it lasts, since nobody else would tell that the signal never came.
                    let isKnown = try connections.signal(
                        execution: request.id, account: request.account, number: number)
                    guard isKnown else {
                        ordersAt = MonotonicClock.now + RunningExecution.orderNanoseconds
                        return
                    }
                case .resize(let rows, let columns):
                    if let terminal = input.terminal {
                        try Terminal.resize(terminal.rawValue, rows: rows, columns: columns)
                    }
                }
            } catch {
                // It has ended meanwhile, or is about to: its end tells more than this would.
            }
            orders.removeFirst()
        }
    }

    private func handle(_ event: ExecutionEvent) {
        switch event {
        case .started(let ends):
            if !ends.isEmpty { streams.replace(by: ends) }
            if request.live?.terminal != nil, let terminal = ends.first { input.take(terminal: terminal) }
            if startedAt == nil { request.live?.start() }
            startedAt = .now
            beQuiet()
            let pause = RunningExecution.noticeNanoseconds
            noticeAt = MonotonicClock.now + (request.clientDescriptor == nil ? pause.followed : pause.awaited)
        case .compiled(let stage):
            compile = stage
            beQuiet()
        case .artifacts(let handles): artifacts.read(handles, limits: limits.artifacts)
        case .queued, .finished, .failed: break
        }
    }

    private func beQuiet() {
        guard request.live == nil else { return }
        quietUntil = MonotonicClock.now + RunningExecution.quietNanoseconds
    }

    private func notice(_ started: () -> Bool) {
        guard !isNoticed, let noticeAt, MonotonicClock.now >= noticeAt else { return }
        isNoticed = true
        if !started() { end(.cancelled) }
    }

    /// Has the execution ended for that reason; the first reason given stands.
    private func end(_ reason: TerminationReason) {
        guard ending == nil else { return }
        ending = reason
        endAt = MonotonicClock.now
    }

    private func terminateIfDue() throws(IsolationError) {
        guard let ending, let endAt, MonotonicClock.now >= endAt else { return }
        let isKnown = try connections.terminate(execution: request.id, account: request.account, reason: ending)
        // Unknown means that the service has not read the call yet, or that the last event is on its way.
        self.endAt = isKnown ? nil : MonotonicClock.now + RunningExecution.retryNanoseconds
    }

    /// Gives up a service that hangs while the execution waits to begin: nothing tells a kept connection to it from a good one.
    private func look() throws(IsolationError) {
        guard startedAt == nil, MonotonicClock.now >= lookAt else { return }
        do {
            _ = try connections.status(timeoutMilliseconds: RunningExecution.answerMilliseconds)
            silences = 0
        } catch {
            silences += 1
            guard silences < RunningExecution.patience else {
                throw IsolationError(.unavailable, "the isolation service does not answer")
            }
        }
        lookAt = MonotonicClock.now + RunningExecution.silenceNanoseconds / (silences == 0 ? 1 : 5)
    }

    private var record: ExecutionRecord {
        var record = request.unfinishedRecord
        record.startedAt = startedAt
        record.stdout = streams.stdout.output
        record.stderr = streams.stderr.output
        return record
    }

    private func result(of event: ExecutionEvent) -> ExecutionResult {
        switch event {
        case .finished(let outcome):
            var record = record
            record.take(outcome)
            if let stage = outcome.compile ?? compile, let stream = streams.compile {
                record.compile = .init(
                    exitCode: stage.exitCode, output: stream.output, timeMicroseconds: stage.wallTimeMicroseconds)
            }
            record.artifacts = artifacts.entries
            if let results = streams.results { record.take(CellResults(results.output.bytes)) }
            record.finish(outcome.termination, at: .now)
            return ExecutionResult(record: record, artifacts: artifacts.artifacts)
        case .failed(let error):
            return ExecutionRunner.refused(request, error)
        case .queued, .started, .compiled, .artifacts:
            return lost(IsolationError(.protocolViolation, "not a last event"))
        }
    }

    /// The end of an execution whose connection broke; the reason that we gave it ourselves stands.
    private func lost(_ error: IsolationError) -> ExecutionResult {
        guard startedAt != nil || ending != nil else { return ExecutionRunner.refused(request, error) }
        var record = record
        if startedAt != nil { record.wallTimeMicroseconds = Int64((MonotonicClock.now - beganAt) / 1000) }
        record.finish(
            Termination(reason: ending ?? .lost, detail: ending == nil ? "the isolation service was lost" : nil),
            at: .now)
        return ExecutionResult(record: record)
    }
}
