internal import Glibc
internal import LinuxKernel
internal import Logging
internal import SoulBoxExecution
internal import SoulBoxModel
internal import SoulBoxStore

/// The rules of executions: who may, what is noted when, and what a caller is told.
struct ExecutionService: Sendable {
    /// How long a cancellation waits for the execution's end to be noted.
    private static let cancelMilliseconds = 5000

    let repository: any ExecutionRepository
    let runner: any ExecutionCarrier
    let catalog: TemplateCatalog
    let limits: ExecuteLimits
    /// This process's row, the owner of synchronous executions.
    let process: [UInt8]
    let log: Logger

    /// Runs a database call; a failure is logged here and told as 503.
    func store<Value>(_ body: (any ExecutionRepository) throws -> Value) throws(APIError) -> Value {
        do {
            return try body(repository)
        } catch {
            log.error("database call failed", metadata: ["error": "\(error)"])
            throw .unavailable
        }
    }

    /// Who a credential belongs to, if it is good and has the permission.
    func authenticate(_ credential: Credential, needs permission: Permission?) throws(APIError) -> Caller {
        try store { try $0.authenticate(credential, needs: permission) }.caller()
    }

    /// Notes an asynchronous execution; the scheduler carries it out.
    func accept(_ spec: ExecutionSpec, _ credential: Credential) throws(APIError) -> ExecutionRecord {
        let record = newRecord(spec)
        let new = NewExecution(id: record.id, spec: spec, createdAt: record.createdAt, owner: nil)
        _ = try store { try $0.admit(credential, new: new) }.caller()
        return record
    }

    /// Notes an execution, carries it out while the caller waits, and notes its end.
    func execute(
        _ spec: ExecutionSpec, _ credential: Credential, clientDescriptor: CInt?
    ) throws(APIError) -> ExecutionRecord {
        let record = newRecord(spec)
        let new = NewExecution(id: record.id, spec: spec, createdAt: record.createdAt, owner: process)
        let caller = try store { try $0.admit(credential, new: new) }.caller()
        let request = ExecutionRequest(
            id: record.id, account: Identifier.text(.account, uuid: caller.accountID), spec: spec,
            createdAt: record.createdAt, clientDescriptor: clientDescriptor)
        let result = runner.run(request) {
            // Without the database nobody can have cancelled it; its end will be noted when the database is back.
            (try? repository.markRunning(record.id, process: process)) ?? true
        }
        switch ExecutionRecorder(log: log, finish: repository.finish).record(result) {
        case .recorded:
            if let refusal = result.refusal { throw .refusal(refusal, execution: record.id) }
            return result.record
        case .alreadyFinal:
            // Cancelled while it waited, or given up as lost: what is noted is what happened.
            guard let noted = try find(record.id, caller) else { throw .internalError }
            return noted
        case .failed: throw .unavailable
        }
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
        ExecutionRecord(
            id: Identifier.make(.execution), status: .queued, runtime: spec.runtime, template: spec.template,
            limits: spec.limits, createdAt: .now)
    }
}
