internal import IsolationProtocol
internal import Logging
internal import SoulBoxExecution
internal import SoulBoxModel
internal import SoulBoxStore

/// The rules of persistent sandboxes: who may, what is noted when, and what a caller is told.
struct SandboxService: Sendable {
    let platform: Platform
    let store: SandboxStore
    let keeper: SandboxKeeper
    let templates: TemplateService
    let bounds: SandboxBounds
    let maker: SandboxMaker

    /// A sandbox of the caller's account.
    func find(_ id: String, _ caller: Caller) throws(APIError) -> AccountSandbox {
        guard let sandbox = try platform.gate.query({ try store.find(id, account: caller.accountID) }) else {
            throw .notFound("sandbox")
        }
        return sandbox
    }

    /// Calls the isolation service; its refusal is told as the API tells it.
    func isolate<Value>(_ body: () throws -> Value) throws(APIError) -> Value {
        do {
            return try body()
        } catch let error as APIError {
            throw error
        } catch let error as IsolationError {
            throw .isolation(error)
        } catch {
            return try platform.gate.query { throw error }
        }
    }

    /// The template that a request means.
    func template(
        _ request: SandboxRequest, _ caller: Caller, _ validation: inout Validation
    ) throws(APIError) -> TemplateChoice? {
        guard !validation.hasFailed("runtime"), !validation.hasFailed("template") else { return nil }
        let choice: TemplateChoice?
        if let name = request.template, TemplateService.isOwn(name) {
            choice = try templates.choice(name, caller, &validation)
            if choice == nil { return nil }
        } else {
            choice = try systemTemplate(request)
        }
        guard let choice else {
            validation.fail(
                request.template == nil ? "runtime" : "template",
                request.template == nil ? "No template is installed for it" : "There is no such template")
            return nil
        }
        let found = choice.manifest
        if let runtime = request.runtime, found.runtime != runtime {
            validation.fail("template", "Is a template for \(found.runtime.rawValue), not for \(runtime.rawValue)")
        }
        if let memory = request.memoryBytes, memory < found.minimumMemoryBytes {
            validation.fail(
                "resources.memory_limit",
                "The template \(choice.id) needs at least \(ByteSize.text(found.minimumMemoryBytes))")
        }
        return choice
    }

    private func systemTemplate(_ request: SandboxRequest) throws(APIError) -> TemplateChoice? {
        do {
            guard let runtime = request.runtime else {
                return try templates.catalog.templates().first { $0.id == request.template }.map(TemplateChoice.init)
            }
            return try templates.catalog.template(named: request.template, for: runtime).map(TemplateChoice.init)
        } catch {
            throw .unavailable
        }
    }

    /// How a sandbox stands with the isolation service; what is noted is brought in line.
    func state(of sandbox: AccountSandbox) -> SandboxState? {
        guard sandbox.status != .creating else { return nil }
        do {
            let state = try keeper.inspect(sandbox)
            try? keeper.settle(sandbox, state)
            return state
        } catch let error as IsolationError where error.code == .sandboxNotFound {
            try? keeper.settle(sandbox, nil)
            return nil
        } catch {
            return nil
        }
    }

    /// A sandbox in which programs can run: one that is being made is waited for.
    ///
    /// - Throws: 409 with its status when it does not run.
    func running(_ sandbox: AccountSandbox) throws(APIError) -> AccountSandbox {
        switch sandbox.status {
        case .running: return sandbox
        case .creating:
            try isolate { try keeper.make(sandbox) }
            return sandbox
        case .stopped, .paused, .error: throw .isolation(IsolationError(.sandboxNotRunning, sandbox.status.rawValue))
        }
    }

    /// Why the processes of sandboxes cannot be held here; nil when they can.
    func memorySnapshotsMissing() throws(APIError) -> String? {
        try isolate { try keeper.connections.status(timeoutMilliseconds: 1000) }.memorySnapshotsMissing
            .map { "memory snapshots are not available: \($0)" }
    }

    /// - Throws: 422 with the reason when the processes of sandboxes cannot be held here.
    func requireMemorySnapshots() throws(APIError) {
        if let missing = try memorySnapshotsMissing() { throw .isolation(IsolationError(.notPossible, missing)) }
    }

    /// The service found that a sandbox does not run as noted: what is noted is brought in line.
    func noteAbsence(_ sandbox: AccountSandbox) { _ = state(of: sandbox) }
}

extension APIError {
    /// A quota stands against it.
    static func quota(_ refusal: SandboxStore.Refusal) -> APIError {
        switch refusal {
        case .quota(let name): .limitExceeded("The quota \(name) is used up", retryAfter: 60, quota: name)
        case .noTemplate: .isolation(IsolationError(.templateNotFound, ""))
        }
    }
}
