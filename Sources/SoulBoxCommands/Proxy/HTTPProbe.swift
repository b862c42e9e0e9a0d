import Foundation

/// A request to the API through nginx, as a client makes it.
enum HTTPProbe {
    /// Whether the health endpoint answers.
    static func answers(port: Int) -> Bool {
        guard let answer = try? request(port: port, "GET", "/api/health") else { return false }
        return answer.status == 200
    }

    /// Whether it says that every component is well.
    static func isWell(port: Int) -> Bool {
        (try? request(port: port, "GET", "/api/health"))?.body.contains("\"status\":\"healthy\"") == true
    }

    /// Sends a request with curl, which every client of ours is likely to use, and gives status and body.
    static func request(
        port: Int, _ method: String, _ path: String, key: String? = nil, body: String? = nil
    ) throws -> (status: Int, body: String) {
        var arguments = [
            "--silent", "--show-error", "--max-time", "120", "--request", method, "--write-out", "\n%{http_code}",
            "http://127.0.0.1:\(port)\(path)",
        ]
        if let body { arguments += ["--header", "Content-Type: application/json", "--data-binary", body] }
        // Headers by a file descriptor would hide the key from the process list; curl reads them from a file.
        var headerFile: URL?
        if let key {
            let file = FileManager.default.temporaryDirectory.appending(path: "soulbox-\(UUID().uuidString)")
            _ = FileManager.default.createFile(atPath: file.path, contents: nil, attributes: [.posixPermissions: 0o600])
            try Data("X-API-Key: \(key)\n".utf8).write(to: file)
            headerFile = file
            arguments += ["--header", "@\(file.path)"]
        }
        defer { if let headerFile { try? FileManager.default.removeItem(at: headerFile) } }
        let output = try Tool("/usr/bin/curl", arguments).run(advice: "Is curl installed, and the stack up?")
        let lines = output.split(separator: "\n", omittingEmptySubsequences: false)
        return (Int(lines.last ?? "") ?? 0, lines.dropLast().joined(separator: "\n"))
    }
}
