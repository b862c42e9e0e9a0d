internal import SoulBoxModel

/// Reads the fields of a JSON object, with their types, and notes every one that is wrong.
///
/// `null` is an absent field: clients write optional values so.
struct FieldReader {
    private let object: JSONObject
    private let prefix: String

    /// A reader of an object.
    ///
    /// - Parameter prefix: What stands before the names of its fields in failures, as `files[0].`.
    init(_ object: JSONObject, prefix: String = "") {
        self.object = object
        self.prefix = prefix
    }

    /// The name of a field as failures show it.
    func path(_ name: String) -> String { prefix + name }

    /// Refuses every field that is not among these.
    func refuseUnknown(except known: Set<String>, _ validation: inout Validation) {
        for name in object.names where !known.contains(name) {
            validation.fail(path(String(name.prefix(100))), "Unknown field")
        }
    }

    /// The field's value; nil when it is absent or null.
    func value(_ name: String) -> JSONValue? {
        guard let value = object[name], !value.isNull else { return nil }
        return value
    }

    /// A string.
    func string(_ name: String, _ validation: inout Validation) -> String? {
        typed(name, "a string", &validation) { $0.stringValue }
    }

    /// A string without NUL, which neither a path nor an argument nor a variable can hold.
    func plainString(_ name: String, _ validation: inout Validation) -> String? {
        guard let text = string(name, &validation) else { return nil }
        guard !text.utf8.contains(0) else {
            validation.fail(path(name), "Must not contain NUL")
            return nil
        }
        return text
    }

    /// A number that was written as an integer.
    func integer(_ name: String, _ validation: inout Validation) -> Int64? {
        typed(name, "an integer", &validation) { $0.integerValue }
    }

    /// A number.
    func number(_ name: String, _ validation: inout Validation) -> Double? {
        typed(name, "a number", &validation) { $0.numberValue }
    }

    /// True or false.
    func bool(_ name: String, _ validation: inout Validation) -> Bool? {
        typed(name, "true or false", &validation) { $0.boolValue }
    }

    /// An array.
    func array(_ name: String, _ validation: inout Validation) -> [JSONValue]? {
        typed(name, "an array", &validation) { $0.arrayValue }
    }

    /// An object.
    func object(_ name: String, _ validation: inout Validation) -> JSONObject? {
        typed(name, "an object", &validation) { $0.objectValue }
    }

    private func typed<Value>(
        _ name: String, _ kind: String, _ validation: inout Validation, _ read: (JSONValue) -> Value?
    ) -> Value? {
        guard let value = value(name) else { return nil }
        guard let typed = read(value) else {
            validation.fail(path(name), "Must be \(kind)")
            return nil
        }
        return typed
    }
}
