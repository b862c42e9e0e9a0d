internal import IsolationProtocol
internal import SoulBoxModel

/// The calls about persistent sandboxes that are a question and an answer.
struct SandboxCalls {
    static let methods: Set<String> = [
        "CreateSandbox", "StartSandbox", "StopSandbox", "UpdateSandbox", "RemoveSandbox", "InspectSandbox",
        "ListSandboxes", "StopAllSandboxes",
    ].reduce(into: []) { $0.insert("io.soulbox.isolation." + $1) }

    let isolator: Isolator

    private var sandboxes: SandboxRegistry { isolator.sandboxes }

    /// Carries a call out and gives the reply's parameters.
    func answer(_ method: String, _ parameters: JSONValue) throws -> JSONValue {
        let name = method.split(separator: ".").last ?? ""
        switch name {
        case "ListSandboxes":
            let after = parameters["after"]?.stringValue ?? ""
            return ["sandboxes": .array(sandboxes.all(after: after, limit: 200).map(\.json))]
        case "StopAllSandboxes":
            sandboxes.stopAll()
            return [:]
        default: break
        }
        let id = try SandboxCalls.text("sandbox", parameters)
        let account = try SandboxCalls.text("account", parameters)
        switch name {
        case "CreateSandbox":
            let limits = try SandboxCalls.limits(parameters)
            try CallCheck.validate(sandbox: id, account: account, limits: limits)
            let template = try SandboxCalls.text("template", parameters)
            guard let image = isolator.images.find(template, account: account) else {
                throw IsolationError(.templateNotFound, template)
            }
            let network = try SandboxCalls.network(parameters) ?? .none
            return [
                "sandbox": try sandboxes.create(id, account: account, image: image, limits: limits, network: network)
                    .json
            ]
        case "RemoveSandbox":
            try sandboxes.remove(id, account: account)
            return [:]
        default: break
        }
        let managed = try sandboxes.find(id, account: account)
        switch name {
        case "StartSandbox": return ["sandbox": try sandboxes.start(managed).json]
        case "StopSandbox": return ["sandbox": try sandboxes.stop(managed).json]
        case "UpdateSandbox":
            let limits = try SandboxCalls.limits(parameters)
            try CallCheck.validate(sandbox: id, account: account, limits: limits)
            let network = try SandboxCalls.network(parameters)
            return ["sandbox": try sandboxes.update(managed, limits, network).json]
        default: return ["sandbox": sandboxes.inspect(managed).json]
        }
    }

    static func text(_ name: String, _ parameters: JSONValue) throws(IsolationError) -> String {
        guard let text = parameters[name]?.stringValue else {
            throw IsolationError(.protocolViolation, "\(name) is missing")
        }
        return text
    }

    static func network(_ parameters: JSONValue) throws(IsolationError) -> SandboxNetwork? {
        guard let value = parameters["network"], !value.isNull else { return nil }
        guard let network = SandboxNetwork(json: value) else {
            throw IsolationError(.protocolViolation, "network is malformed")
        }
        try CallCheck.validate(network)
        return network
    }

    static func limits(_ parameters: JSONValue) throws(IsolationError) -> SandboxLimits {
        guard let limits = parameters["limits"].flatMap(SandboxLimits.init(json:)) else {
            throw IsolationError(.protocolViolation, "limits is missing")
        }
        return limits
    }
}
