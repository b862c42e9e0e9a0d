internal import IsolationProtocol
internal import SoulBoxModel

/// The calls about the images of users' templates.
struct TemplateCalls {
    static let methods: Set<String> = ["SealTemplate", "RemoveTemplate", "FindImage"].reduce(into: []) {
        $0.insert("io.soulbox.isolation." + $1)
    }

    let isolator: Isolator

    /// Carries a call out and gives the reply's parameters.
    func answer(_ method: String, _ parameters: JSONValue) throws -> JSONValue {
        let account = try SandboxCalls.text("account", parameters)
        let template = try SandboxCalls.text("template", parameters)
        switch method.split(separator: ".").last {
        case "SealTemplate":
            let variables = try TemplateCalls.variables(parameters)
            let name = try CallCheck.validate(template: template, variables: variables)
            let sandbox = try SandboxCalls.text("sandbox", parameters)
            let managed = try isolator.sandboxes.find(sandbox, account: account)
            return ["size": .integer(try isolator.sandboxes.seal(managed, as: name, variables: variables))]
        case "RemoveTemplate":
            try remove(template, account)
            return [:]
        default:
            guard let image = isolator.images.find(template, account: account) else {
                throw IsolationError(.templateNotFound, template)
            }
            return ["image": image.manifest.json]
        }
    }

    private func remove(_ template: String, _ account: String) throws {
        guard let record = isolator.images.templates.record(named: template), record.account == account else { return }
        isolator.supply.pool.drop(image: template)
        guard !isolator.sandboxes.uses(image: template),
            isolator.layers.close(isolator.images.templates.layer(of: template))
        else { throw IsolationError(.conflict, "sandboxes are made from it") }
        try isolator.images.templates.remove(template)
    }

    private static func variables(_ parameters: JSONValue) throws(IsolationError) -> [ExecutionSpec.Variable] {
        var variables: [ExecutionSpec.Variable] = []
        for item in parameters["environment"]?.arrayValue ?? [] {
            guard let name = item["name"]?.stringValue, let value = item["value"]?.stringValue else {
                throw IsolationError(.protocolViolation, "environment")
            }
            variables.append(.init(name: name, value: value))
        }
        return variables
    }
}
