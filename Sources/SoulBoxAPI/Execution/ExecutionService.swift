internal import Glibc
internal import LinuxKernel
internal import Logging
internal import SoulBoxExecution
internal import SoulBoxMetrics
internal import SoulBoxModel
internal import SoulBoxStore

/// The rules of executions: who may, what is noted when, and what a caller is told.
struct ExecutionService: Sendable {
    /// How long a cancellation waits for the execution's end to be noted.
    private static let cancelMilliseconds = 5000

    /// How long a repeated request waits for the first one: the longest program with its compile stage and its wait.
    private static let repeatMilliseconds = 390_000

    let gate: Gate
    let repository: any ExecutionRepository
    let runner: any ExecutionCarrier
    let catalog: TemplateCatalog
    let limits: ExecuteLimits
    /// This process's row, the owner of synchronous executions.
    let process: [UInt8]
    let abandoned: AbandonedExecutions
    /// The persistent sandboxes; nil where executions have none, as in tests of the rest.
    let sandboxes: SandboxService?
    /// The users' templates; nil where there are none.
    let templates: TemplateService?
    /// Counts the ends that this process notes.
    let metrics: ExecutionMetrics?
    let log: Logger

    /// Runs a database call; a failure is logged there and told as 503.
    func store<Value>(_ body: (any ExecutionRepository) throws -> Value) throws(APIError) -> Value {
        try gate.store(body)
    }

    /// Notes an asynchronous execution; the scheduler carries it out.
    func accept(
        _ spec: ExecutionSpec, _ ticket: Ticket, _ idempotency: Idempotency?, _ request: HTTPRequest
    ) throws(APIError) -> ExecutionRecord {
        let record = newRecord(spec)
        let new = NewExecution(
            id: record.id, spec: spec, createdAt: record.createdAt, owner: nil,
            path: String(request.rawPath.prefix(200)),
            idempotency: idempotency)
        let admission = try store { try $0.admit(ticket, new: new) }
        let caller = try gate.caller(admission, request)
        guard case .repeated(let earlier, _) = admission.outcome else {
            request.context.isAudited = true
            return record
        }
        guard var first = try find(earlier, caller) else { throw .notFound("execution") }
        // As it was answered then.
        first.status = .queued
        first.startedAt = nil
        first.completedAt = nil
        return first
    }

    /// An execution that is noted as this process's own.
    struct Begun: Sendable {
        var request: ExecutionRequest
        let caller: Caller
        let sandbox: AccountSandbox?
        let idempotency: Idempotency?
    }

    /// Notes an execution, carries it out while the caller waits, and notes its end.
    func execute(
        _ spec: ExecutionSpec, in sandbox: AccountSandbox? = nil, _ ticket: Ticket, _ idempotency: Idempotency?,
        _ call: HTTPRequest
    ) throws(APIError) -> ExecutionRecord {
        let begun = try begin(spec, in: sandbox, ticket, idempotency, call)
        switch begun {
        case .new(let begun): return try carryOut(begun)
        case .repeated(let earlier, let caller): return try awaitEnd(of: earlier, caller)
        }
    }

    /// What became of an attempt to note an execution.
    enum Beginning {
        case new(Begun)
        /// It was asked for before.
        case repeated(id: String, Caller)
    }

    /// Notes an execution that this process carries out.
    func begin(
        _ spec: ExecutionSpec, in sandbox: AccountSandbox?, _ ticket: Ticket, _ idempotency: Idempotency?,
        _ call: HTTPRequest
    ) throws(APIError) -> Beginning {
        let record = newRecord(spec)
        let new = NewExecution(
            id: record.id, spec: spec, createdAt: record.createdAt, owner: process,
            path: String(call.rawPath.prefix(200)), idempotency: idempotency)
        let admission: Admission
        do {
            admission = try store { try $0.admit(ticket, new: new) }
        } catch {
            // The connection may have broken after the row was committed: then it has an owner and nobody to run it.
            abandoned.add(record.id)
            throw error
        }
        let caller = try gate.caller(admission, call)
        if case .repeated(let earlier, _) = admission.outcome { return .repeated(id: earlier, caller) }
        call.context.isAudited = true
        return .new(
            Begun(
                request: ExecutionRequest(
                    id: record.id, account: Identifier.text(.account, uuid: caller.accountID),
                    requestID: call.requestID, spec: spec, createdAt: record.createdAt,
                    clientDescriptor: call.clientDescriptor),
                caller: caller, sandbox: sandbox, idempotency: idempotency))
    }

    /// Carries an execution out, keeping the thread until its end is noted.
    func carryOut(_ begun: Begun) throws(APIError) -> ExecutionRecord {
        let id = begun.request.id
        let sandbox = begun.sandbox
        // One that is being made is waited for; if that fails, the service says so of the execution.
        if let sandbox, sandbox.status == .creating { _ = try? sandboxes?.running(sandbox) }
        let result = runner.run(begun.request) {
            // Without the database nobody can have cancelled it; its end will be noted when the database is back.
            (try? repository.markRunning(id, process: process)) ?? true
        }
        switch ExecutionRecorder(metrics: metrics, log: log, finish: repository.finish).record(result) {
        case .recorded:
            if let refusal = result.refusal {
                // It never ran: the same request may be tried again with the same key.
                if let sandbox { sandboxes?.noteAbsence(sandbox) }
                if let key = begun.idempotency { try? repository.forget(key, account: begun.caller.accountID) }
                throw .refusal(refusal, execution: id)
            }
            return result.record
        case .alreadyFinal:
            // Cancelled while it waited, or given up as lost: what is noted is what happened.
            guard let noted = try find(id, begun.caller) else { throw .internalError }
            return noted
        case .failed: throw .unavailable
        }
    }

    /// Waits for an execution that somebody else carries out. One whose process dies ends too, as lost.
    private func awaitEnd(of id: String, _ caller: Caller) throws(APIError) -> ExecutionRecord {
        let deadline = MonotonicClock.now + UInt64(ExecutionService.repeatMilliseconds) * 1_000_000
        var pauseMicroseconds: UInt32 = 5000
        while MonotonicClock.now < deadline {
            // Taken back: it never ran, and the next attempt will.
            guard let record = try find(id, caller) else { throw .unavailable }
            if record.status.isFinal { return record }
            usleep(pauseMicroseconds)
            pauseMicroseconds = min(pauseMicroseconds * 2, 250_000)
        }
        throw .unavailable
    }

    /// An execution of the caller's account.
    func find(_ id: String, _ caller: Caller) throws(APIError) -> ExecutionRecord? {
        guard Identifier.parse(id, .execution) != nil else { return nil }
        return try store { try $0.find(id, account: caller.accountID) }
    }

    /// Cancels an execution and waits until its end is noted.
    ///
    /// - Throws: 404, or 409 when it has ended already.
    func cancel(_ id: String, _ caller: Caller) throws(APIError) {
        guard Identifier.parse(id, .execution) != nil else { throw .notFound("execution") }
        let account = Identifier.text(.account, uuid: caller.accountID)
        switch try store({ try $0.requestCancel(id, account: caller.accountID) }) {
        case .notFound: throw .notFound("execution")
        case .finished(let status): throw .alreadyEnded(status)
        case .cancelledBeforeStart:
            if let metrics, let record = try? find(id, caller) { metrics.note(record.runtime, .cancelled) }
            // A synchronous one may stand in the isolation service's own queue.
            _ = try? runner.terminate(execution: id, account: account)
        case .running:
            try endRunning(id, caller, account: account)
        }
    }

    private func endRunning(_ id: String, _ caller: Caller, account: String) throws(APIError) {
        let deadline = MonotonicClock.now + UInt64(ExecutionService.cancelMilliseconds) * 1_000_000
        var isTerminated = false
        var pauseMicroseconds: UInt32 = 2000
        while MonotonicClock.now < deadline {
            // Not known there means that it is on its way to the service, or that its end is on its way back.
            if !isTerminated { isTerminated = (try? runner.terminate(execution: id, account: account)) ?? false }
            usleep(pauseMicroseconds)
            pauseMicroseconds = min(pauseMicroseconds * 2, 100_000)
            guard let record = try find(id, caller) else { throw .notFound("execution") }
            if record.status == .cancelled { return }
            if record.status.isFinal { throw .alreadyEnded(record.status) }
        }
        throw .unavailable
    }

    private func newRecord(_ spec: ExecutionSpec) -> ExecutionRecord {
        var record = ExecutionRecord(
            id: Identifier.make(.execution), status: .queued, runtime: spec.runtime, template: spec.template,
            limits: spec.limits, createdAt: .now)
        record.sandbox = spec.sandbox
        record.context = spec.context
        return record
    }
}
