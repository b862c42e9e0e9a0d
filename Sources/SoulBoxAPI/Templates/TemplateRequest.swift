internal import SoulBoxModel
internal import SoulBoxStore

/// The body of `POST /templates` and `PUT /templates/{id}`, checked as far as it can be without knowing the base.
struct TemplateRequest: Equatable {
    var name: String?
    var description: String?
    var base: String?
    var packages: [String]?
    var environment: [ExecutionSpec.Variable]?
    var files: [InputFile]?
    var setup: [String]?

    private static let fields: Set<String> = [
        "name", "description", "base", "packages", "environment", "files", "setup",
    ]

    /// Reads a body; what is wrong is noted.
    ///
    /// - Parameter isNew: Whether a template is to be made: then name and base must be given.
    init(
        _ object: JSONObject, isNew: Bool, within bounds: TemplateBounds, files limits: ExecuteLimits,
        _ validation: inout Validation
    ) {
        let reader = FieldReader(object)
        reader.refuseUnknown(except: TemplateRequest.fields, &validation)
        if isNew {
            for field in ["name", "base"] where reader.value(field) == nil { validation.fail(field, "Is required") }
        }
        name = reader.name("name", atMost: bounds.name, &validation)
        description = reader.value("description").flatMap {
            FieldReader.plainText($0, "description", atMost: bounds.description, &validation)
        }
        base = reader.plainString("base", &validation)
        packages = TemplateRequest.strings(reader, "packages", bounds.packages, &validation) { value, field, failures in
            guard let text = value.stringValue else { return failures.fail(field, "Must be a string") }
            if let problem = PackageRequirement.problem(text) { failures.fail(field, problem) }
        }
        setup = TemplateRequest.strings(reader, "setup", bounds.commands, &validation) { value, field, failures in
            let text = FieldReader.plainText(value, field, atMost: bounds.commandBytes, &failures)
            if text?.isEmpty == true { failures.fail(field, "Must not be empty") }
        }
        readEnvironment(reader, bounds, &validation)
        readFiles(reader, bounds, limits, &validation)
    }

    private mutating func readEnvironment(
        _ reader: FieldReader, _ bounds: TemplateBounds, _ validation: inout Validation
    ) {
        guard reader.value("environment") != nil else { return }
        let variables = reader.variables(
            "environment", atMost: bounds.variables, of: bounds.variableBytes, &validation
        ).compactMap { name, value in value.map { ExecutionSpec.Variable(name: name, value: $0) } }
        if variables.reduce(0, { $0 + $1.name.utf8.count + $1.value.utf8.count + 2 }) > bounds.environmentBytes {
            validation.fail("environment", "Must be at most \(bounds.environmentBytes) bytes in all")
        }
        environment = variables
    }

    private mutating func readFiles(
        _ reader: FieldReader, _ bounds: TemplateBounds, _ limits: ExecuteLimits, _ validation: inout Validation
    ) {
        guard reader.value("files") != nil else { return }
        let read = ExecuteRequest.files(reader, limits, &validation)
        if read.reduce(0, { $0 + $1.contents.count }) > bounds.fileBytes, !validation.hasFailed("files") {
            validation.fail("files", "Must be at most \(bounds.fileBytes) bytes in all")
        }
        files = read
    }

    /// An array of strings, each checked; nil when the field is not given.
    private static func strings(
        _ reader: FieldReader, _ name: String, _ count: Int, _ validation: inout Validation,
        _ check: (JSONValue, String, inout Validation) -> Void
    ) -> [String]? {
        guard let values = reader.array(name, &validation) else { return nil }
        guard values.count <= count else {
            validation.fail(name, "Must have at most \(count) elements")
            return nil
        }
        for (index, value) in values.enumerated() { check(value, "\(name)[\(index)]", &validation) }
        return values.compactMap(\.stringValue)
    }

    /// What a template is made of after this request; what does not fit the base is noted.
    ///
    /// - Parameters:
    ///   - known: What it is made of now; nil for a new one.
    ///   - systems: The templates that can be a base.
    /// - Returns: Nil when there is no such base.
    func spec(
        over known: TemplateSpec?, systems: [ImageManifest], _ validation: inout Validation
    ) -> (runtime: Runtime, spec: TemplateSpec)? {
        guard let id = base ?? known?.base else { return nil }
        guard let manifest = systems.first(where: { $0.id == id }) else {
            validation.fail("base", base == nil ? "Is no longer installed" : "There is no such system template")
            return nil
        }
        var spec = TemplateSpec(base: manifest)
        spec.description = description ?? known?.description ?? ""
        spec.packages = packages ?? known?.packages ?? []
        spec.environment = environment ?? known?.environment ?? []
        spec.files = files ?? known?.files ?? []
        spec.setup = setup ?? known?.setup ?? []
        if manifest.runtime != .python, !spec.packages.isEmpty {
            validation.fail("packages", "Can be installed on a base for python only")
        }
        return (manifest.runtime, spec)
    }
}
