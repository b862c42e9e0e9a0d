internal import IsolationProtocol
internal import SoulBoxModel

/// The calls about snapshots and paused sandboxes.
struct SnapshotCalls {
    static let methods: Set<String> = [
        "CreateSnapshot", "RestoreSnapshot", "RemoveSnapshot", "VerifySnapshot", "ListSnapshots", "PauseSandbox",
        "ResumeSandbox",
    ].reduce(into: []) { $0.insert("io.soulbox.isolation." + $1) }

    private static let page = 200

    let isolator: Isolator

    private var sandboxes: SandboxRegistry { isolator.sandboxes }

    /// Carries a call out and gives the reply's parameters.
    ///
    /// - Parameter progress: Is told how far a snapshot is.
    func answer(
        _ method: String, _ parameters: JSONValue, progress: @escaping (SnapshotProgress) -> Void
    ) throws -> JSONValue {
        let name = method.split(separator: ".").last ?? ""
        if name == "ListSnapshots" {
            let after = parameters["after"]?.stringValue ?? ""
            let found = sandboxes.snapshots.all().filter { $0.id > after }.prefix(SnapshotCalls.page)
            return ["snapshots": .array(found.map(\.description.json))]
        }
        let account = try SandboxCalls.text("account", parameters)
        try CallCheck.validate(names: [account])
        switch name {
        case "PauseSandbox", "ResumeSandbox":
            let managed = try sandboxes.find(try SandboxCalls.text("sandbox", parameters), account: account)
            let state = name == "PauseSandbox" ? try sandboxes.pause(managed) : try sandboxes.resume(managed)
            return ["sandbox": state.json]
        default: break
        }
        let snapshot = try SandboxCalls.text("snapshot", parameters)
        try CallCheck.validate(names: [snapshot])
        switch name {
        case "CreateSnapshot":
            return ["snapshot": try create(snapshot, account, parameters, progress).description.json]
        case "RestoreSnapshot": return ["sandbox": try restore(snapshot, account, parameters).json]
        case "RemoveSnapshot":
            try sandboxes.snapshots.remove(snapshot, account: account)
            return [:]
        default:
            let manifest = try sandboxes.snapshots.find(snapshot, account: account)
            do {
                try sandboxes.snapshots.directory(snapshot).verify(manifest)
            } catch {
                throw SnapshotMaker.told(error)
            }
            return ["snapshot": manifest.description.json]
        }
    }

    private func create(
        _ id: String, _ account: String, _ parameters: JSONValue, _ progress: @escaping (SnapshotProgress) -> Void
    ) throws -> SnapshotManifest {
        let sandbox = try SandboxCalls.text("sandbox", parameters)
        let parent = parameters["parent"]?.stringValue
        if let parent { try CallCheck.validate(names: [parent]) }
        guard let compress = parameters["compress"]?.boolValue, let memory = parameters["memory"]?.boolValue else {
            throw IsolationError(.protocolViolation, "compress or memory is missing")
        }
        let managed = try sandboxes.find(sandbox, account: account)
        let maker = SnapshotMaker(store: sandboxes.snapshots, tools: sandboxes.tools, log: sandboxes.log)
        return try maker.make(
            SnapshotRequest(
                id: id, sandbox: sandbox, account: account, parent: parent, isCompressed: compress,
                includesMemory: memory), of: managed, SnapshotMaker.Meter(progress))
    }

    private func restore(_ id: String, _ account: String, _ parameters: JSONValue) throws -> SandboxState {
        let sandbox = try SandboxCalls.text("sandbox", parameters)
        let limits = try SandboxCalls.limits(parameters)
        try CallCheck.validate(sandbox: sandbox, account: account, limits: limits)
        let restore = try SandboxCalls.text("restore", parameters)
        try CallCheck.validate(names: [restore])
        guard let memory = parameters["memory"]?.boolValue else {
            throw IsolationError(.protocolViolation, "memory is missing")
        }
        return try sandboxes.restore(
            SnapshotRestore(
                snapshot: id, account: account, sandbox: sandbox, restore: restore, includesMemory: memory,
                limits: limits, network: try SandboxCalls.network(parameters) ?? .none))
    }
}
