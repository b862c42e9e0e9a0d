internal import Glibc
internal import LinuxKernel
public import SoulBoxModel

/// A caller's connection to the isolation service.
///
/// One call at a time, by one thread. After an error the connection is of no more use: drop it and make another.
public final class IsolationConnection {
    private let connection: VarlinkConnection

    /// Connects to the service's socket.
    public init(path: String) throws(IsolationError) {
        do {
            connection = VarlinkConnection(owning: try UnixSocket.connect(to: path, kind: .stream))
        } catch {
            throw IsolationError(.unavailable, error.description)
        }
    }

    /// What to wait on for the next event.
    public var pollDescriptor: CInt { connection.pollDescriptor }

    /// Starts an execution. Poll `pollDescriptor` and call `nextEvent()` until the last event has come.
    ///
    /// Closing the connection before that ends the execution.
    public func execute(_ call: ExecuteCall) throws(IsolationError) {
        try connection.send(
            ["method": "io.soulbox.isolation.Execute", "parameters": call.parameters, "more": true],
            descriptors: call.descriptors)
    }

    /// The next event of the running execution; nil when none is here yet.
    ///
    /// Several may have arrived at once: ask until nil before polling again.
    ///
    /// Throws `unavailable` when the service has closed the connection.
    public func nextEvent() throws(IsolationError) -> ExecutionEvent? {
        guard let reply = try connection.receive(wait: false) else {
            if connection.isEnded { throw IsolationError(.unavailable, "the isolator closed the connection") }
            return nil
        }
        return try ExecutionEvent(reply: reply, from: connection)
    }

    /// Ends an execution of that account; it then finishes with this reason. False when none of that name runs or waits.
    public func terminate(
        execution: String, account: String, reason: TerminationReason
    ) throws(IsolationError) -> Bool {
        let reply = try call(
            "io.soulbox.isolation.Terminate",
            ["execution": .string(execution), "account": .string(account), "reason": .string(reason.rawValue)])
        return reply["terminated"]?.boolValue ?? false
    }

    /// Sends a signal to the program of an execution of that account. False when none of that name runs a program now.
    public func signal(execution: String, account: String, number: Int32) throws(IsolationError) -> Bool {
        let reply = try call(
            "io.soulbox.isolation.SignalExecution",
            [
                "execution": .string(execution), "account": .string(account),
                "signal": JSONValue(Int(number)),
            ])
        return reply["signalled"]?.boolValue ?? false
    }

    /// The manifests of the images that can be used now.
    public func images() throws(IsolationError) -> [ImageManifest] {
        let reply = try call("io.soulbox.isolation.ListImages", [:])
        var manifests: [ImageManifest] = []
        for image in reply["images"]?.arrayValue ?? [] {
            do {
                manifests.append(try ImageManifest(json: image))
            } catch {
                throw IsolationError(.protocolViolation, "malformed manifest: \(error.field)")
            }
        }
        return manifests
    }

    /// How the service stands, within that time.
    public func status(timeoutMilliseconds: CInt = 500) throws(IsolationError) -> IsolatorStatus {
        let reply = try call("io.soulbox.isolation.GetStatus", [:], timeoutMilliseconds: timeoutMilliseconds)
        guard let status = IsolatorStatus(json: reply) else {
            throw IsolationError(.protocolViolation, "malformed status")
        }
        return status
    }

    func call(
        _ method: String, _ parameters: JSONValue, timeoutMilliseconds: CInt = 5000
    ) throws(IsolationError) -> JSONValue {
        try connection.send(["method": .string(method), "parameters": parameters])
        return try reply(until: MonotonicClock.now + UInt64(timeoutMilliseconds) * 1_000_000).parameters
    }

    /// One call with several replies.
    func calls(
        _ method: String, _ parameters: JSONValue, timeoutMilliseconds: CInt,
        _ body: (JSONValue) throws(IsolationError) -> Void
    ) throws(IsolationError) {
        try connection.send(["method": .string(method), "parameters": parameters, "more": true])
        while true {
            let reply = try reply(until: MonotonicClock.now + UInt64(timeoutMilliseconds) * 1_000_000)
            try body(reply.parameters)
            if !reply.continues { return }
        }
    }

    /// The descriptor beside the reply that came last.
    func takeDescriptor() throws(IsolationError) -> SharedDescriptor {
        guard let descriptor = try connection.takeDescriptors(1).first else {
            throw IsolationError(.protocolViolation, "a descriptor is missing")
        }
        return descriptor
    }

    private func reply(until deadline: UInt64) throws(IsolationError) -> (parameters: JSONValue, continues: Bool) {
        while true {
            if let reply = try connection.receive(wait: false) {
                if let name = reply["error"]?.stringValue {
                    throw IsolationError(varlinkName: name, parameters: reply["parameters"])
                }
                return (reply["parameters"] ?? [:], reply["continues"]?.boolValue ?? false)
            }
            if connection.isEnded { throw IsolationError(.unavailable, "the isolator closed the connection") }
            let now = MonotonicClock.now
            guard now < deadline else { throw IsolationError(.unavailable, "no answer in time") }
            var entries = [PollEntry(descriptor: pollDescriptor, events: .input)]
            do {
                _ = try Poll.wait(&entries, timeout: CInt(clamping: (deadline - now) / 1_000_000) + 1)
            } catch {
                throw IsolationError(.unavailable, error.description)
            }
        }
    }
}
