internal import IsolationProtocol
internal import SoulBoxExecution
internal import SoulBoxModel
internal import SoulBoxStore

/// `/languages`: what can be run, and within which limits.
struct LanguageRoutes: Sendable {
    let service: ExecutionService

    /// The lines of the route table.
    var routes: [Route] { [Route("GET", "/api/languages", .anyone, .standard, list)] }

    private func list(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        _ = try service.gate.admit(call)
        let templates: [ImageManifest]
        do {
            templates = try service.catalog.templates()
        } catch {
            throw .unavailable
        }
        let languages = Runtime.allCases.compactMap { language($0, templates) }
        return .json(["languages": .array(languages), "limits": limits])
    }

    /// One language; nil when no template of it is installed.
    private func language(_ runtime: Runtime, _ templates: [ImageManifest]) -> JSONValue? {
        let templates = templates.filter { $0.runtime == runtime }
        guard let standard = templates.first(where: { $0.id == runtime.defaultTemplate }) ?? templates.first else {
            return nil
        }
        return [
            "name": .string(runtime.rawValue),
            "aliases": .array(runtime.aliases.map(JSONValue.string)),
            "version": .string(standard.runtimeVersion),
            "default_template": .string(standard.id),
            "compiled": .bool(standard.compile != nil),
            "minimum_memory": .string(ByteSize.text(standard.minimumMemoryBytes)),
            "templates": .array(
                templates.map { ["template_id": .string($0.id), "version": .string($0.runtimeVersion)] }),
        ]
    }

    private var limits: JSONValue {
        let bounds = service.limits
        let standard = ExecutionLimits()
        return [
            "timeout": [
                "minimum": .integer(bounds.timeout.lowerBound), "maximum": .integer(bounds.timeout.upperBound),
                "default": JSONValue(standard.timeoutMilliseconds / 1000),
            ],
            "memory_limit": [
                "minimum": .string(ByteSize.text(bounds.memory.lowerBound)),
                "maximum": .string(ByteSize.text(bounds.memory.upperBound)),
                "default": .string(ByteSize.text(standard.memoryBytes)),
            ],
            "cpu_limit": [
                "minimum": .number(Double(bounds.cpu.lowerBound) / 1000),
                "maximum": .number(Double(bounds.cpu.upperBound) / 1000),
                "default": .number(Double(standard.cpuMillicores) / 1000),
            ],
            "code": .string(ByteSize.text(Int64(bounds.code))),
            "files": JSONValue(bounds.files),
            "files_total": .string(ByteSize.text(Int64(bounds.fileBytes))),
        ]
    }
}
