internal import SoulBoxModel

/// What a context tells of a cell, line by line: the sandbox's own words, which may be anything.
struct CellResults {
    /// Rich results and an error, as the API shows them.
    private(set) var items: [JSONValue] = []
    /// Whether the cell ended without an error; nil when its context did not live to say so.
    private(set) var endedWell: Bool?

    init(_ bytes: [UInt8]) {
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            guard let item = try? JSONParser.parse(Array(line)), let type = item["type"]?.stringValue else { continue }
            switch type {
            case "end": endedWell = item["ok"]?.boolValue
            case "result":
                guard let data = item["data"], data.objectValue != nil else { continue }
                items.append(["type": "result", "main": .bool(item["main"]?.boolValue ?? false), "data": data])
            case "error":
                items.append([
                    "type": "error", "name": .string(item["name"]?.stringValue ?? ""),
                    "value": .string(item["value"]?.stringValue ?? ""),
                    "traceback": .string(item["traceback"]?.stringValue ?? ""),
                ])
            case "truncated": items.append(["type": "truncated"])
            default: continue
            }
        }
    }
}

extension ExecutionRecord {
    /// Notes the results of a cell, and its error as an exit code of 1.
    mutating func take(_ results: CellResults) {
        self.results = results.items
        if results.endedWell == false, exitCode == 0 { exitCode = 1 }
    }
}
