public import SoulBoxModel

/// Why a call of the isolation service failed.
public struct IsolationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kinds of failure that callers tell apart.
    public enum Code: String, Sendable {
        /// The service cannot be reached, or the connection broke.
        case unavailable
        /// The machine is full: the execution waited for its turn as long as it may.
        case busy
        /// No image of that name is built.
        case templateNotFound
        /// The call asks for something that is not allowed.
        case invalidSpec
        /// The sandbox could not be made or watched.
        case isolationFailed
        /// There is no such persistent sandbox.
        case sandboxNotFound
        /// The persistent sandbox does not run.
        case sandboxNotRunning
        /// The sandbox stands in a way that forbids the change.
        case conflict
        /// The host gives sandboxes no network.
        case networkUnavailable
        /// No room is left on the host's disk.
        case noSpace
        /// There is no such file, process or context.
        case notFound
        /// There is no such snapshot.
        case snapshotNotFound
        /// It cannot be done with this sandbox, this snapshot or this host; the message says why, for the caller to read.
        case notPossible
        /// The peer does not keep to the protocol.
        case protocolViolation
    }

    /// What kind of failure.
    public let code: Code

    /// For the operator's log; never shown to a client.
    public let message: String

    /// Makes an error.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// Kind and message.
    public var description: String { "\(code.rawValue): \(message)" }
}

extension IsolationError {
    /// The Varlink error that tells of it.
    public var varlinkName: String {
        switch code {
        case .busy: "io.soulbox.isolation.Busy"
        case .templateNotFound: "io.soulbox.isolation.TemplateNotFound"
        case .invalidSpec: "io.soulbox.isolation.InvalidSpec"
        case .sandboxNotFound: "io.soulbox.isolation.SandboxNotFound"
        case .sandboxNotRunning: "io.soulbox.isolation.SandboxNotRunning"
        case .conflict: "io.soulbox.isolation.Conflict"
        case .networkUnavailable: "io.soulbox.isolation.NetworkUnavailable"
        case .noSpace: "io.soulbox.isolation.NoSpace"
        case .notFound: "io.soulbox.isolation.NotFound"
        case .snapshotNotFound: "io.soulbox.isolation.SnapshotNotFound"
        case .notPossible: "io.soulbox.isolation.NotPossible"
        case .unavailable, .isolationFailed: "io.soulbox.isolation.IsolationFailed"
        case .protocolViolation: "org.varlink.service.InvalidParameter"
        }
    }

    /// The parameters of that error.
    public var varlinkParameters: JSONValue {
        switch code {
        case .busy: [:]
        case .templateNotFound: ["template": .string(message)]
        case .sandboxNotFound: ["sandbox": .string(message)]
        case .snapshotNotFound: ["snapshot": .string(message)]
        case .unavailable, .isolationFailed: ["step": "sandbox", "reason": .string(message)]
        case .sandboxNotRunning, .conflict, .networkUnavailable, .noSpace, .notFound, .notPossible, .invalidSpec,
            .protocolViolation:
            ["reason": .string(message)]
        }
    }

    /// The failure that a Varlink error tells of.
    public init(varlinkName: String, parameters: JSONValue?) {
        let reason =
            parameters?["reason"]?.stringValue ?? parameters?["template"]?.stringValue
            ?? parameters?["sandbox"]?.stringValue ?? parameters?["snapshot"]?.stringValue ?? varlinkName
        switch varlinkName {
        case "io.soulbox.isolation.Busy": self.init(.busy, "no capacity")
        case "io.soulbox.isolation.TemplateNotFound": self.init(.templateNotFound, reason)
        case "io.soulbox.isolation.SandboxNotFound": self.init(.sandboxNotFound, reason)
        case "io.soulbox.isolation.SandboxNotRunning": self.init(.sandboxNotRunning, reason)
        case "io.soulbox.isolation.Conflict": self.init(.conflict, reason)
        case "io.soulbox.isolation.NetworkUnavailable": self.init(.networkUnavailable, reason)
        case "io.soulbox.isolation.NoSpace": self.init(.noSpace, reason)
        case "io.soulbox.isolation.NotFound": self.init(.notFound, reason)
        case "io.soulbox.isolation.SnapshotNotFound": self.init(.snapshotNotFound, reason)
        case "io.soulbox.isolation.NotPossible": self.init(.notPossible, reason)
        case "io.soulbox.isolation.InvalidSpec": self.init(.invalidSpec, reason)
        case "io.soulbox.isolation.IsolationFailed":
            self.init(.isolationFailed, (parameters?["step"]?.stringValue ?? "unknown step") + ": " + reason)
        default: self.init(.protocolViolation, varlinkName)
        }
    }
}
