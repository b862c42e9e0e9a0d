internal import SoulBoxModel

/// Fills the placeholders of an image's command with what an execution asks for.
struct CommandLine {
    /// The file to run, below `/workspace`.
    let entrypoint: String
    /// Where a compiler puts the program, in a sandbox made for one execution.
    static let buildDirectory = "/tmp/build"

    /// Where the compiler puts the program.
    let build: String
    /// The memory limit of the stage.
    let memoryBytes: Int64
    /// The processor limit of the stage.
    let cpuMillicores: Int

    /// Program and arguments; the request's own follow the template's.
    func arguments(of command: ImageManifest.Command, adding own: [String] = []) -> [String] {
        command.arguments.map(fill) + own
    }

    /// The environment: first what every program has, then the template's, the command's, and the request's.
    func environment(
        of command: ImageManifest.Command, template: [ExecutionSpec.Variable], request: [ExecutionSpec.Variable]
    ) -> [ExecutionSpec.Variable] {
        var variables: [ExecutionSpec.Variable] = [
            .init(name: "PATH", value: "/usr/local/bin:/usr/bin:/bin"), .init(name: "HOME", value: "/workspace"),
            .init(name: "LANG", value: "C.UTF-8"), .init(name: "TMPDIR", value: "/tmp"),
        ]
        for variable in template + command.environment + request {
            let isOwn = !request.contains(variable)
            let value = isOwn ? fill(variable.value) : variable.value
            if let index = variables.firstIndex(where: { $0.name == variable.name }) {
                variables[index].value = value
            } else {
                variables.append(.init(name: variable.name, value: value))
            }
        }
        return variables
    }

    private func fill(_ text: String) -> String {
        guard text.utf8.contains(UInt8(ascii: "{")) else { return text }
        var output = ""
        var rest = text[...]
        while let open = rest.firstIndex(of: "{") {
            output += rest[..<open]
            rest = rest[open...]
            guard let close = rest.firstIndex(of: "}") else { break }
            let name = rest[rest.index(after: open)..<close]
            output += value(of: name) ?? String(rest[...close])
            rest = rest[rest.index(after: close)...]
        }
        return output + rest
    }

    private func value(of name: Substring) -> String? {
        switch name {
        case "entrypoint": return entrypoint
        case "build": return build
        case "memory_bytes": return String(memoryBytes)
        case "cpus": return String(max(1, (cpuMillicores + 999) / 1000))
        default:
            guard name.hasPrefix("memory_mib:"), let percent = Int64(name.dropFirst(11)), percent > 0, percent <= 100
            else {
                return nil
            }
            return String(max(1, (memoryBytes >> 20) * percent / 100))
        }
    }
}
