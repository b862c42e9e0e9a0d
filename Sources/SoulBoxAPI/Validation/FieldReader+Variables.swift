internal import SoulBoxModel

extension FieldReader {
    /// Environment variables: an object of strings. Where `null` removes a variable, its value is nil.
    func variables(
        _ name: String, atMost count: Int, of bytes: Int, nullRemoves: Bool = false, _ validation: inout Validation
    ) -> [(name: String, value: String?)] {
        let members = object(name, &validation)?.members ?? []
        guard members.count <= count else {
            validation.fail(path(name), "Must have at most \(count) members")
            return []
        }
        var variables: [(name: String, value: String?)] = []
        for member in members {
            let field = "\(path(name)).\(member.name.prefix(100))"
            guard VariableName.isValid(member.name) else {
                validation.fail(field, "Names must match [A-Za-z_][A-Za-z0-9_]*")
                continue
            }
            if member.value.isNull, nullRemoves {
                variables.append((member.name, nil))
            } else if let text = FieldReader.plainText(member.value, field, atMost: bytes, &validation) {
                variables.append((member.name, text))
            }
        }
        return variables
    }

    /// A string without NUL, which no argument and no variable can hold.
    static func plainText(
        _ value: JSONValue, _ field: String, atMost bytes: Int, _ validation: inout Validation
    ) -> String? {
        guard let text = value.stringValue else {
            validation.fail(field, "Must be a string")
            return nil
        }
        guard !text.utf8.contains(0) else {
            validation.fail(field, "Must not contain NUL")
            return nil
        }
        guard text.utf8.count <= bytes else {
            validation.fail(field, "Must be at most \(bytes) bytes long")
            return nil
        }
        return text
    }
}
