import LinuxKernel
import SoulBoxModel

/// What the supervisor writes down of the stack, for `soulbox status` and for its own successor.
struct StackState {
    /// One process.
    struct Entry {
        let name: String
        let pid: Int32
        let birth: Int64
        let restarts: Int
        let isRunning: Bool
    }

    let isReady: Bool
    let httpPort: Int
    let tlsPort: Int
    let entries: [Entry]

    /// Writes the state of these processes.
    static func write(_ processes: [ManagedProcess], ready: Bool, http: OperatorConfiguration.HTTP, to path: String) {
        let json: JSONValue = [
            "ready": .bool(ready), "http_port": JSONValue(http.port), "tls_port": JSONValue(http.tlsPort),
            "processes": .array(processes.map(\.state)),
        ]
        // A full disk must not end the stack; the state is only told.
        try? Files.writeAtomically(path, json.bytes, mode: 0o644)
    }

    /// Reads what was written; nil when there is none.
    static func read(_ path: String) -> StackState? {
        guard let bytes = try? Files.read(path), let json = try? JSONParser.parse(bytes) else { return nil }
        let entries = (json["processes"]?.arrayValue ?? []).compactMap { entry -> Entry? in
            guard let name = entry["name"]?.stringValue, let pid = entry["pid"]?.integerValue else { return nil }
            return Entry(
                name: name, pid: Int32(truncatingIfNeeded: pid), birth: entry["birth"]?.integerValue ?? -1,
                restarts: Int(entry["restarts"]?.integerValue ?? 0), isRunning: entry["running"]?.boolValue ?? false)
        }
        return StackState(
            isReady: json["ready"]?.boolValue ?? false, httpPort: Int(json["http_port"]?.integerValue ?? 8080),
            tlsPort: Int(json["tls_port"]?.integerValue ?? 8443), entries: entries)
    }
}
