internal import SoulBoxModel

/// The manifest of an image as it is written: the recipe's words and the versions that were installed.
enum ImageManifestDocument {
    static func make(
        _ recipe: ImageRecipe, installed: InstalledPackages, builtAt: Timestamp
    ) throws(ImageError) -> JSONValue {
        var versions: [(String, JSONValue)] = []
        for package in recipe.packages {
            versions.append((package.name, .string(try installed.upstreamVersion(of: package.value))))
        }
        return .object(
            JSONObject([
                ("id", .string(recipe.id)), ("name", .string(recipe.name)),
                ("description", .string(recipe.description)), ("runtime", .string(recipe.runtime.rawValue)),
                ("runtime_version", .string(try installed.upstreamVersion(of: recipe.runtimePackage))),
                ("version", .string(recipe.version)), ("base_image", .string(recipe.baseImage)),
                ("packages", .array(recipe.packages.map { .string($0.name) })),
                ("packages_installed", .object(JSONObject(versions))),
                ("environment", pairs(recipe.environment)),
                (
                    "files",
                    .array(recipe.files.map { ["name": .string($0.name), "content": .string($0.value)] })
                ),
                ("aliases", .array(recipe.aliases.map(JSONValue.string))),
                ("recipe_hash", .string(recipe.hash)), ("built_at", .string(builtAt.rfc3339)),
                ("suite", .string(recipe.suite)),
                (
                    "program",
                    .object(
                        JSONObject([
                            ("file", .string(recipe.programFile)),
                            ("compile", recipe.compile.map(compile) ?? .null),
                            ("run", .object(JSONObject(command(recipe.run)))),
                            ("context", recipe.context.map { .object(JSONObject(command($0))) } ?? .null),
                            ("minimum_memory", .integer(recipe.minimumMemoryBytes)),
                        ]))
                ),
            ]))
    }

    static func compile(_ stage: ImageRecipe.Compile) -> JSONValue {
        .object(
            JSONObject(
                command(stage.command) + [
                    ("memory", .integer(stage.memoryBytes)), ("timeout", .integer(Int64(stage.timeoutSeconds))),
                    ("disk", .integer(stage.diskBytes)),
                ]))
    }

    static func command(_ command: ImageRecipe.Command) -> [(String, JSONValue)] {
        let prestart = command.prestart.map { prestart -> JSONValue in
            [
                "options": .array(prestart.options.map(JSONValue.string)),
                "except": .array(prestart.except.map(JSONValue.string)), "fork": .bool(prestart.isForked),
            ]
        }
        return [
            ("argv", .array(command.arguments.map(JSONValue.string))), ("environment", pairs(command.environment)),
            ("prestart", prestart ?? .null),
        ]
    }

    static func pairs(_ pairs: [ImageRecipe.Pair]) -> JSONValue {
        .object(JSONObject(pairs.map { ($0.name, .string($0.value)) }))
    }
}
