import SoulBoxAPI
import SoulBoxModel
import SoulBoxStore
import Synchronization

/// The database in memory: one account, and keys told apart by the first byte of their identifier.
final class FakeRepository: ExecutionRepository {
    struct Outage: Error {}

    struct State {
        var records: [String: ExecutionRecord] = [:]
        var artifacts: [String: [Artifact]] = [:]
        var calls: [String] = []
        var isAway = false
        var admission: Admission
    }

    static let account = [UInt8](repeating: 7, count: 16)
    let state: Mutex<State>

    init(permissions: Set<Permission> = [.execute]) {
        let caller = Caller(keyID: TestKey.id, accountID: FakeRepository.account, permissions: permissions)
        state = Mutex(State(admission: Admission(.admitted(caller))))
    }

    var calls: [String] { state.withLock { $0.calls } }

    private func enter<Value>(_ call: String, _ body: (inout State) -> Value) throws -> Value {
        try state.withLock { state in
            state.calls.append(call)
            if state.isAway { throw Outage() }
            return body(&state)
        }
    }

    func admit(_ ticket: Ticket) throws -> Admission {
        try enter("authenticate") { FakeRepository.check($0, ticket) }
    }

    func find(_ id: String, _ ticket: Ticket) throws -> (admission: Admission, record: ExecutionRecord?) {
        try enter("find") { state in
            let admission = FakeRepository.check(state, ticket)
            guard case .admitted = admission.outcome else { return (admission, nil) }
            return (admission, state.records[id])
        }
    }

    func list(account: [UInt8], filter: ExecutionFilter, page: Page) throws -> Listing<ExecutionRecord> {
        try enter("list") { state in
            let all = state.records.values.sorted { $0.id > $1.id }
            return Listing(items: Array(all.dropFirst(page.offset).prefix(page.limit)), total: Int64(all.count))
        }
    }

    func abandon(_ id: String, process: [UInt8]) throws { try enter("abandon") { $0.records[id] = nil } }

    func forget(_ idempotency: Idempotency, account: [UInt8]) throws { try enter("forget") { _ in } }

    func admit(_ ticket: Ticket, new execution: NewExecution) throws -> Admission {
        try enter("admit") { state in
            let admission = FakeRepository.check(state, ticket)
            guard case .admitted = admission.outcome else { return admission }
            state.records[execution.id] = ExecutionRecord(
                id: execution.id, status: .queued, runtime: execution.spec.runtime, template: execution.spec.template,
                limits: execution.spec.limits, createdAt: execution.createdAt)
            return admission
        }
    }

    func markRunning(_ id: String, process: [UInt8]) throws -> Bool {
        try enter("markRunning") { state in
            guard state.records[id]?.status == .queued else { return false }
            state.records[id]?.status = .running
            return true
        }
    }

    func finish(_ id: String, _ execution: FinishedExecution) throws -> Bool {
        try enter("finish") { state in
            guard state.records[id]?.status.isFinal == false else { return false }
            state.records[id] = execution.record
            state.artifacts[id] = execution.artifacts
            return true
        }
    }

    func find(_ id: String, account: [UInt8]) throws -> ExecutionRecord? {
        try enter("find") { $0.records[id] }
    }

    func artifact(execution: String, account: [UInt8], path: String) throws -> Artifact? {
        try enter("artifact") { $0.artifacts[execution]?.first { $0.path == path } }
    }

    func requestCancel(_ id: String, account: [UInt8]) throws -> CancelResult {
        try enter("requestCancel") { state in
            guard let record = state.records[id] else { return .notFound }
            if record.status.isFinal { return .finished(record.status) }
            if record.status == .running { return .running(owner: TestKey.id) }
            state.records[id]?.status = .cancelled
            return .cancelledBeforeStart
        }
    }

    private static func check(_ state: State, _ ticket: Ticket) -> Admission {
        guard ticket.credential.keyID == TestKey.id, ticket.credential.secretHash == TestKey.secretHash else {
            return Admission(.unauthenticated)
        }
        guard case .admitted(let caller) = state.admission.outcome, let permission = ticket.permission else {
            return state.admission
        }
        return caller.may(permission) ? state.admission : Admission(.forbidden(missing: permission))
    }
}
