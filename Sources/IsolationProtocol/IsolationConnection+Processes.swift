internal import LinuxKernel
public import SoulBoxModel

extension IsolationConnection {
    private static let processMilliseconds: CInt = 30_000

    /// Starts a background process in a persistent sandbox.
    ///
    /// - Parameter context: A context's name: then the template's interpreter is started, and `arguments` are none.
    public func startProcess(
        arguments: [String] = [], context: String? = nil, environment: [ExecutionSpec.Variable], directory: String,
        in sandbox: String,
        account: String
    ) throws(IsolationError) -> SandboxProcess {
        let reply = try ask(
            "StartProcess", sandbox, account,
            [
                ("arguments", .array(arguments.map(JSONValue.string))),
                (
                    "environment",
                    .array(environment.map { ["name": .string($0.name), "value": .string($0.value)] })
                ),
                ("directory", .string(directory)), ("context", JSONValue(context)),
            ])
        guard let process = reply["process"].flatMap(SandboxProcess.init(json:)) else {
            throw IsolationError(.protocolViolation, "malformed process")
        }
        return process
    }

    /// The background processes of a sandbox, running or over.
    public func processes(in sandbox: String, account: String) throws(IsolationError) -> [SandboxProcess] {
        let reply = try ask("ListProcesses", sandbox, account, [])
        return (reply["processes"]?.arrayValue ?? []).compactMap(SandboxProcess.init(json:))
    }

    /// Output of a process after an offset; waits for some at most that many milliseconds.
    public func readProcess(
        _ pid: Int32, after offset: Int64, waitMilliseconds: Int, in sandbox: String, account: String
    ) throws(IsolationError) -> ProcessOutput {
        let reply = try call(
            "io.soulbox.isolation.ReadProcess",
            [
                "sandbox": .string(sandbox), "account": .string(account), "process": JSONValue(Int(pid)),
                "offset": .integer(offset), "wait_ms": JSONValue(waitMilliseconds),
            ], timeoutMilliseconds: IsolationConnection.processMilliseconds + CInt(clamping: waitMilliseconds))
        guard let next = reply["next"]?.integerValue, let isOver = reply["over"]?.boolValue else {
            throw IsolationError(.protocolViolation, "malformed output")
        }
        let entries = (reply["entries"]?.arrayValue ?? []).compactMap { entry -> ProcessOutput.Entry? in
            guard let stream = entry["stream"]?.stringValue, let offset = entry["offset"]?.integerValue,
                let bytes = entry["data"]?.stringValue.flatMap(Base64.decode)
            else { return nil }
            return ProcessOutput.Entry(stream: stream, offset: offset, bytes: bytes)
        }
        return ProcessOutput(entries: entries, next: next, isOver: isOver)
    }

    /// Writes to a process's input as much as it takes now; gives how many bytes that was.
    public func writeProcess(
        _ pid: Int32, _ bytes: [UInt8], closing: Bool, in sandbox: String, account: String
    ) throws(IsolationError) -> Int {
        let reply = try ask(
            "WriteProcess", sandbox, account,
            [
                ("process", JSONValue(Int(pid))), ("data", .string(Base64.encode(bytes))), ("close", .bool(closing)),
            ])
        return Int(reply["written"]?.integerValue ?? 0)
    }

    /// Sends a process a signal.
    public func signalProcess(
        _ pid: Int32, _ signal: Int32, in sandbox: String, account: String
    ) throws(IsolationError) {
        _ = try ask(
            "SignalProcess", sandbox, account,
            [("process", JSONValue(Int(pid))), ("signal", JSONValue(Int(signal)))])
    }

    /// Kills a process with everything that it has started, and forgets it.
    public func removeProcess(_ pid: Int32, in sandbox: String, account: String) throws(IsolationError) {
        _ = try ask("RemoveProcess", sandbox, account, [("process", JSONValue(Int(pid)))])
    }

    private func ask(
        _ method: String, _ sandbox: String, _ account: String, _ more: [(String, JSONValue)]
    ) throws(IsolationError) -> JSONValue {
        try call(
            "io.soulbox.isolation." + method,
            .object(JSONObject([("sandbox", .string(sandbox)), ("account", .string(account))] + more)),
            timeoutMilliseconds: IsolationConnection.processMilliseconds)
    }
}
