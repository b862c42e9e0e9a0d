internal import SoulBoxModel

extension IsolationConnection {
    /// A change may wait for another one, for a place to be made, and for processes to end.
    private static let changeMilliseconds: CInt = 75_000

    /// Makes a persistent sandbox and starts it; one of that name that is there already is started.
    public func createSandbox(
        _ id: String, account: String, template: String, limits: SandboxLimits, network: SandboxNetwork = .none
    ) throws(IsolationError) -> SandboxState {
        try state(
            "CreateSandbox",
            [
                "sandbox": .string(id), "account": .string(account), "template": .string(template),
                "limits": limits.json, "network": network.json,
            ])
    }

    /// Starts a sandbox that does not run.
    public func startSandbox(_ id: String, account: String) throws(IsolationError) -> SandboxState {
        try state("StartSandbox", ["sandbox": .string(id), "account": .string(account)])
    }

    /// Ends everything in a sandbox; its files stay.
    public func stopSandbox(_ id: String, account: String) throws(IsolationError) -> SandboxState {
        try state("StopSandbox", ["sandbox": .string(id), "account": .string(account)])
    }

    /// Changes what a sandbox may use and reach, at once when it runs. Connections to what it may no longer reach end.
    ///
    /// - Parameter network: Nil leaves it as it is.
    public func updateSandbox(
        _ id: String, account: String, limits: SandboxLimits, network: SandboxNetwork? = nil
    ) throws(IsolationError) -> SandboxState {
        try state(
            "UpdateSandbox",
            [
                "sandbox": .string(id), "account": .string(account), "limits": limits.json,
                "network": network?.json ?? .null,
            ])
    }

    /// How a sandbox stands.
    public func inspectSandbox(_ id: String, account: String) throws(IsolationError) -> SandboxState {
        try state("InspectSandbox", ["sandbox": .string(id), "account": .string(account)])
    }

    /// Removes a sandbox with its files; one that is not there is no error.
    public func removeSandbox(_ id: String, account: String) throws(IsolationError) {
        _ = try call(
            "io.soulbox.isolation.RemoveSandbox", ["sandbox": .string(id), "account": .string(account)],
            timeoutMilliseconds: IsolationConnection.changeMilliseconds)
    }

    /// How all sandboxes of the instance stand.
    public func sandboxes() throws(IsolationError) -> [SandboxState] {
        var states: [SandboxState] = []
        while true {
            let reply = try call(
                "io.soulbox.isolation.ListSandboxes", ["after": JSONValue(states.last?.id)],
                timeoutMilliseconds: 30_000)
            let items = reply["sandboxes"]?.arrayValue ?? []
            if items.isEmpty { return states }
            for item in items {
                guard let state = SandboxState(json: item) else {
                    throw IsolationError(.protocolViolation, "malformed sandbox")
                }
                states.append(state)
            }
        }
    }

    /// Stops all sandboxes, before the whole service ends.
    public func stopAllSandboxes() throws(IsolationError) {
        _ = try call(
            "io.soulbox.isolation.StopAllSandboxes", [:],
            timeoutMilliseconds: IsolationConnection.changeMilliseconds)
    }

    private func state(_ method: String, _ parameters: JSONValue) throws(IsolationError) -> SandboxState {
        let reply = try call(
            "io.soulbox.isolation." + method, parameters,
            timeoutMilliseconds: IsolationConnection.changeMilliseconds)
        guard let state = reply["sandbox"].flatMap(SandboxState.init(json:)) else {
            throw IsolationError(.protocolViolation, "malformed sandbox")
        }
        return state
    }
}
