import SoulBoxModel

/// The description of the API, held against its answers.
struct APIDescription: Sendable {
    let json: JSONValue

    /// What an answer has that is not documented, or lacks.
    func problems(method: String, path: String, _ answer: Answer) -> [String] {
        let segments = (path.split(separator: "?").first ?? "").dropFirst().split(
            separator: "/", omittingEmptySubsequences: false
        )
        .map(String.init)
        guard let item = item(segments) else {
            return [400, 404].contains(answer.status) ? [] : ["undocumented path \(path)"]
        }
        let name = method == "HEAD" ? "get" : method.lowercased()
        guard let operation = item[name] else {
            return answer.status == 405 ? [] : ["undocumented method \(method) \(path)"]
        }
        guard let found = operation["responses"]?[String(answer.status)] else {
            // Answers of nginx itself to what is no request at all.
            return [408, 414, 502, 504].contains(answer.status) ? [] : ["undocumented status \(answer.status)"]
        }
        let schema = AnswerSchema(document: json)
        let response = found["$ref"]?.stringValue.map(schema.resolve) ?? found
        var problems: [String] = []
        for header in response["headers"]?.objectValue?.names ?? [] {
            let wanted = response["headers"]?[header] ?? .null
            let isRequired = (wanted["$ref"]?.stringValue.map(schema.resolve) ?? wanted)["required"] == true
            if isRequired, answer.headers[header.lowercased()] == nil { problems.append("no header \(header)") }
        }
        guard method != "HEAD", let content = response["content"]?.objectValue, content["*/*"] == nil else {
            return problems
        }
        let type = (answer.headers["content-type"] ?? "").split(separator: ";").first.map(String.init) ?? ""
        guard let body = content[type] else { return problems + ["undocumented type \(type)"] }
        let value: JSONValue = type.hasPrefix("text/") ? .string(answer.text) : answer.json
        return problems + schema.problems(value, body["schema"] ?? true)
    }

    /// Every documented operation.
    var operations: [(method: String, path: String)] {
        (json["paths"]?.objectValue?.names ?? []).flatMap { path in
            (json["paths"]?[path]?.objectValue?.names ?? []).map { ($0.uppercased(), path) }
        }
    }

    /// The path item; literal segments win over parameters, and a last parameter named `path` takes all the rest.
    private func item(_ segments: [String]) -> JSONValue? {
        let paths = json["paths"]?.objectValue
        let matching = (paths?.names ?? []).filter { template in
            let parts = template.split(separator: "/").map(String.init)
            let takesRest = parts.last == "{path}" && segments.count >= parts.count
            guard takesRest || parts.count == segments.count else { return false }
            return zip(parts, segments).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
        }
        return matching.min { $0.count { $0 == "{" } < $1.count { $0 == "{" } }.flatMap { paths?[$0] }
    }
}
