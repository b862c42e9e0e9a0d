import Foundation
import LinuxKernel
import SoulBoxModel
import Yams

/// The description of the API: written as YAML for people, served as JSON to programs.
enum APIDocument {
    /// Puts the JSON where the workers read it.
    static func install(_ instance: Instance) throws {
        let path = try ProjectFiles.directory("docs", instance) + "/openapi.yaml"
        guard let node = try Yams.compose(yaml: try Files.readString(path, maximum: 4 << 20)) else {
            throw OperatorError("\(path) is empty", advice: "Restore it from the release.")
        }
        try Files.writeAtomically(instance.data + "/share/openapi.json", json(node).bytes, mode: 0o644)
    }

    /// A YAML node as JSON. Text stays text, times too: only the words and numbers of JSON are anything else.
    static func json(_ node: Node) -> JSONValue {
        switch node {
        case .mapping(let mapping):
            return .object(JSONObject(mapping.map { ($0.key.string ?? "", json($0.value)) }))
        case .sequence(let sequence): return .array(sequence.map(json))
        case .scalar(let scalar):
            guard scalar.style == .plain else { return .string(scalar.string) }
            switch scalar.string {
            case "null", "~", "": return .null
            case "true": return true
            case "false": return false
            default: break
            }
            let isNumber = scalar.string.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2d || $0 == 0x2e }
            if isNumber, let integer = Int64(scalar.string) { return .integer(integer) }
            if isNumber, let number = Double(scalar.string) { return .number(number) }
            return .string(scalar.string)
        case .alias: return .null
        }
    }
}
