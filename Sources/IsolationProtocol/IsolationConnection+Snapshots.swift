internal import SoulBoxModel

extension IsolationConnection {
    /// A large disk, and memory, may take minutes to write; between two signs of life passes less.
    private static let snapshotMilliseconds: CInt = 300_000

    /// Takes a snapshot of a sandbox; the call lasts until it is whole, and tells how far it is.
    ///
    /// One of that name that is there already is the answer: a caller that lost its connection asks again. A sandbox whose
    /// processes cannot be held is `notPossible` with the reason, and runs on.
    public func createSnapshot(
        _ request: SnapshotRequest, progress: (SnapshotProgress) -> Void
    ) throws(IsolationError) -> SnapshotDescription {
        var result: SnapshotDescription?
        try calls(
            "io.soulbox.isolation.CreateSnapshot",
            [
                "snapshot": .string(request.id), "sandbox": .string(request.sandbox),
                "account": .string(request.account), "parent": JSONValue(request.parent),
                "compress": .bool(request.isCompressed), "memory": .bool(request.includesMemory),
            ], timeoutMilliseconds: IsolationConnection.snapshotMilliseconds
        ) { reply throws(IsolationError) in
            if let told = reply["progress"].flatMap(SnapshotProgress.init(json:)) { progress(told) }
            result = reply["snapshot"].flatMap(SnapshotDescription.init(json:)) ?? result
        }
        guard let result else { throw IsolationError(.protocolViolation, "no snapshot") }
        return result
    }

    /// Makes a sandbox what a snapshot holds: all of it, or, when this throws, nothing.
    public func restoreSnapshot(_ restore: SnapshotRestore) throws(IsolationError) -> SandboxState {
        let reply = try call(
            "io.soulbox.isolation.RestoreSnapshot",
            [
                "snapshot": .string(restore.snapshot), "account": .string(restore.account),
                "sandbox": .string(restore.sandbox), "restore": .string(restore.restore),
                "memory": .bool(restore.includesMemory), "limits": restore.limits.json,
                "network": restore.network.json,
            ], timeoutMilliseconds: IsolationConnection.snapshotMilliseconds)
        guard let state = reply["sandbox"].flatMap(SandboxState.init(json:)) else {
            throw IsolationError(.protocolViolation, "malformed sandbox")
        }
        return state
    }

    /// Removes a snapshot; one that is not there is no error, one that is being restored, or that others are told by their
    /// differences from, is a conflict.
    public func removeSnapshot(_ id: String, account: String) throws(IsolationError) {
        _ = try call(
            "io.soulbox.isolation.RemoveSnapshot", ["snapshot": .string(id), "account": .string(account)],
            timeoutMilliseconds: IsolationConnection.snapshotMilliseconds)
    }

    /// Reads all of a snapshot and compares it with what was noted when it was taken; `notPossible` says what differs.
    public func verifySnapshot(_ id: String, account: String) throws(IsolationError) -> SnapshotDescription {
        let reply = try call(
            "io.soulbox.isolation.VerifySnapshot", ["snapshot": .string(id), "account": .string(account)],
            timeoutMilliseconds: IsolationConnection.snapshotMilliseconds)
        guard let snapshot = reply["snapshot"].flatMap(SnapshotDescription.init(json:)) else {
            throw IsolationError(.protocolViolation, "malformed snapshot")
        }
        return snapshot
    }

    /// The snapshots of the instance.
    public func snapshots() throws(IsolationError) -> [SnapshotDescription] {
        var found: [SnapshotDescription] = []
        while true {
            let reply = try call(
                "io.soulbox.isolation.ListSnapshots", ["after": JSONValue(found.last?.id)], timeoutMilliseconds: 30_000)
            let items = reply["snapshots"]?.arrayValue ?? []
            if items.isEmpty { return found }
            for item in items {
                guard let snapshot = SnapshotDescription(json: item) else {
                    throw IsolationError(.protocolViolation, "malformed snapshot")
                }
                found.append(snapshot)
            }
        }
    }

    /// Writes the processes of a running sandbox to the host's disk and frees their memory.
    public func pauseSandbox(_ id: String, account: String) throws(IsolationError) -> SandboxState {
        try changed("PauseSandbox", id, account)
    }

    /// Lets the processes of a paused sandbox go on where they were.
    public func resumeSandbox(_ id: String, account: String) throws(IsolationError) -> SandboxState {
        try changed("ResumeSandbox", id, account)
    }

    private func changed(_ method: String, _ id: String, _ account: String) throws(IsolationError) -> SandboxState {
        let reply = try call(
            "io.soulbox.isolation." + method, ["sandbox": .string(id), "account": .string(account)],
            timeoutMilliseconds: IsolationConnection.snapshotMilliseconds)
        guard let state = reply["sandbox"].flatMap(SandboxState.init(json:)) else {
            throw IsolationError(.protocolViolation, "malformed sandbox")
        }
        return state
    }
}
