internal import Crypto
internal import SoulBoxModel

extension ImageManifestDocument {
    /// The manifest of an imported image, without its hash and time, which `finished` adds.
    static func draft(
        _ request: ImportRequest, image: ContainerImage, source: String, found: RuntimeInstallation,
        program: ImportedProgram
    ) -> JSONObject {
        let own = request.environment.map { ImageRecipe.Pair(name: $0.name, value: $0.value) }
        let variables = ImportedEnvironment.make(image.environment, runtime: program.environment, operator: own)
        let language = "\(request.runtime.rawValue) \(found.version)"
        return JSONObject([
            ("id", .string(request.name)), ("name", .string(request.name)),
            ("description", .string(request.description ?? "Imported image with \(language)")),
            ("runtime", .string(request.runtime.rawValue)), ("runtime_version", .string(found.version)),
            // As docker shows an image's id.
            ("version", .string(String(image.id.dropFirst(7).prefix(12)))), ("base_image", .string(source)),
            ("packages", .array([])), ("packages_installed", .object(JSONObject())),
            ("environment", pairs(variables)), ("files", .array([])), ("aliases", .array([])),
            ("imported", .string(image.id)),
            (
                "program",
                .object(
                    JSONObject([
                        ("file", .string(program.file)), ("compile", program.compile.map(compile) ?? .null),
                        ("run", .object(JSONObject(command(program.run)))),
                        ("context", program.context.map { .object(JSONObject(command($0))) } ?? .null),
                        ("minimum_memory", .integer(request.minimumMemoryBytes ?? program.minimumMemoryBytes)),
                    ]))
            ),
        ])
    }

    /// A draft with the hash that names the import and the time when it was made.
    static func finished(_ draft: JSONObject, hash: String, builtAt: Timestamp) -> JSONValue {
        .object(
            JSONObject(
                draft.members.map { ($0.name, $0.value) } + [
                    ("recipe_hash", .string(hash)), ("built_at", .string(builtAt.rfc3339)),
                ]))
    }
}
