internal import SoulBoxModel
internal import SoulBoxStore

extension AccountTemplate {
    /// Where the newest version stands; one that waits is being built for whoever looks at the template.
    var status: String { newest.status == .queued ? "building" : newest.status.rawValue }

    /// The template as a list shows it.
    var summaryJSON: JSONObject {
        JSONObject([
            ("template_id", .string(identifier)), ("name", .string(name)),
            ("description", .string(shown.spec.description)), ("runtime", .string(runtime.rawValue)),
            ("version", .string(String(shown.number))),
            ("packages", .array(shown.spec.packages.map(JSONValue.string))), ("status", .string(status)),
        ])
    }

    /// The template with everything that is known of it.
    var detailsJSON: JSONValue {
        let spec = shown.spec
        var object = summaryJSON
        object["base"] = .string(spec.base)
        object["runtime_version"] = .string(spec.runtimeVersion)
        object["base_image"] = .string(spec.baseImage)
        object["packages_installed"] = shown.packagesJSON
        object["environment"] = .object(JSONObject(spec.environment.map { ($0.name, .string($0.value)) }))
        object["files"] = .array(spec.files.map(\.templateJSON))
        object["setup"] = .array(spec.setup.map(JSONValue.string))
        object["minimum_memory"] = .string(ByteSize.text(spec.minimumMemoryBytes))
        object["size"] = JSONValue(shown.sizeBytes.map(ByteSize.text))
        object["size_bytes"] = JSONValue(shown.sizeBytes)
        object["created_at"] = .string(createdAt.rfc3339)
        object["updated_at"] = .string(updatedAt.rfc3339)
        object["build"] = [
            "version": .string(String(newest.number)), "status": .string(newest.status.rawValue),
            "href": .string("/api/templates/\(identifier)/build"),
        ]
        return .object(object)
    }
}

extension TemplateVersion {
    /// The packages that were installed, as a list of names and versions.
    var packagesJSON: JSONValue {
        .array(packagesInstalled.map { ["name": .string($0.name), "version": .string($0.version)] })
    }

    /// How its build stands.
    func buildJSON(of template: String, log: String) -> JSONValue {
        [
            "template_id": .string(template), "version": .string(String(number)), "status": .string(status.rawValue),
            "error": JSONValue(error), "log": .string(log), "packages_installed": packagesJSON,
            "size": JSONValue(sizeBytes.map(ByteSize.text)), "size_bytes": JSONValue(sizeBytes),
            "created_at": .string(createdAt.rfc3339), "started_at": JSONValue(startedAt?.rfc3339),
            "finished_at": JSONValue(finishedAt?.rfc3339),
        ]
    }
}

extension InputFile {
    /// The file as a template shows it; one that is no text in base64.
    fileprivate var templateJSON: JSONValue {
        guard let text = String(validating: contents, as: UTF8.self) else {
            return ["name": .string(path), "content": .string(Base64.encode(contents)), "encoding": "base64"]
        }
        return ["name": .string(path), "content": .string(text)]
    }
}
