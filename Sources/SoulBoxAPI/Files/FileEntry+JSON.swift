internal import IsolationProtocol
internal import SoulBoxModel

extension FileEntry {
    /// The last segment of its path.
    var name: String { String(path.split(separator: "/").last ?? "") }

    /// The file as a list shows it.
    var json: JSONValue {
        var object = JSONObject([
            ("name", .string(name)), ("path", .string(SandboxPath.show(path))), ("type", .string(kind.rawValue)),
        ])
        if kind == .file { object["size"] = .integer(size) }
        object["mode"] = .string("0" + String(mode, radix: 8))
        object["created_at"] = .string(createdAt.rfc3339)
        object["modified_at"] = .string(modifiedAt.rfc3339)
        return .object(object)
    }

    /// The file as the details of a sandbox show it.
    var briefJSON: JSONValue {
        ["name": .string(name), "size": .integer(size), "created_at": .string(createdAt.rfc3339)]
    }

    /// The validator of its contents (RFC 9110, section 8.8.3).
    var entityTag: String { "\"\(tag)\"" }
}
