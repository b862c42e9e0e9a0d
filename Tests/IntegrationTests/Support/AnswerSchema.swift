import SoulBoxModel

/// JSON Schema 2020-12 as far as the API's description uses it; a keyword that is not known is a problem by itself.
struct AnswerSchema {
    private static let annotations: Set<String> = [
        "description", "example", "examples", "title", "default", "deprecated", "contentEncoding", "readOnly",
    ]

    let document: JSONValue

    /// What is wrong with a value.
    func problems(_ value: JSONValue, _ schema: JSONValue, at path: String = "$") -> [String] {
        if let reference = schema["$ref"]?.stringValue { return problems(value, resolve(reference), at: path) }
        guard let object = schema.objectValue else { return schema == true ? [] : ["\(path): nothing is allowed here"] }
        return object.names.flatMap { keyword in check(keyword, object[keyword] ?? .null, value, schema, at: path) }
    }

    /// What a reference into the document leads to.
    func resolve(_ reference: String) -> JSONValue {
        reference.split(separator: "/").dropFirst().reduce(document) { $0[String($1)] ?? .null }
    }

    private func check(
        _ keyword: String, _ argument: JSONValue, _ value: JSONValue, _ schema: JSONValue, at path: String
    ) -> [String] {
        func fail(_ isWrong: Bool) -> [String] {
            isWrong ? ["\(path): \(keyword) \(argument.text): \(value.text)"] : []
        }
        switch keyword {
        case "type":
            let types = argument.arrayValue?.compactMap(\.stringValue) ?? [argument.stringValue ?? ""]
            return fail(!types.contains { AnswerSchema.isOf($0, value) })
        case "properties":
            return (argument.objectValue?.names ?? []).flatMap { name in
                value[name].map { problems($0, argument[name] ?? true, at: "\(path).\(name)") } ?? []
            }
        case "required":
            guard let object = value.objectValue else { return [] }
            return fail(!(argument.arrayValue ?? []).allSatisfy { object[$0.stringValue ?? ""] != nil })
        case "additionalProperties":
            let known = Set(schema["properties"]?.objectValue?.names ?? [])
            return (value.objectValue?.names ?? []).filter { !known.contains($0) }.flatMap {
                problems(value[$0] ?? .null, argument, at: "\(path).\($0)")
            }
        case "items":
            return (value.arrayValue ?? []).enumerated().flatMap {
                problems($0.element, argument, at: "\(path)[\($0.offset)]")
            }
        case "enum": return fail(argument.arrayValue?.contains(value) != true)
        case "const": return fail(argument != value)
        case "anyOf":
            return fail(!(argument.arrayValue ?? []).contains { problems(value, $0, at: path).isEmpty })
        case "minimum": return fail((value.numberValue ?? .infinity) < (argument.numberValue ?? 0))
        case "maximum": return fail((value.numberValue ?? -.infinity) > (argument.numberValue ?? 0))
        case "minLength": return fail((value.stringValue?.unicodeScalars.count ?? .max) < argument.integerValue ?? 0)
        case "maxLength": return fail((value.stringValue?.unicodeScalars.count ?? 0) > argument.integerValue ?? 0)
        case "minItems": return fail((value.arrayValue?.count ?? .max) < argument.integerValue ?? 0)
        case "maxItems": return fail((value.arrayValue?.count ?? 0) > argument.integerValue ?? 0)
        case "uniqueItems":
            let items = value.arrayValue ?? []
            return fail(items.indices.contains { items[..<$0].contains(items[$0]) })
        case "pattern":
            guard let text = value.stringValue, let expression = try? Regex(argument.stringValue ?? "") else {
                return []
            }
            return fail(text.firstMatch(of: expression) == nil)
        case "format":
            guard argument == "date-time", let text = value.stringValue else { return [] }
            return fail(Timestamp(rfc3339: text) == nil)
        default: return AnswerSchema.annotations.contains(keyword) ? [] : ["\(path): unknown keyword \(keyword)"]
        }
    }

    private static func isOf(_ type: String, _ value: JSONValue) -> Bool {
        switch type {
        case "null": value.isNull
        case "boolean": value.boolValue != nil
        case "integer": value.integerValue != nil
        case "number": value.numberValue != nil
        case "string": value.stringValue != nil
        case "array": value.arrayValue != nil
        case "object": value.objectValue != nil
        default: false
        }
    }
}
