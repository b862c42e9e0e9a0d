import Foundation
import FoundationNetworking
import SoulBoxModel
import Testing

/// An answer of the API.
struct Answer {
    let status: Int
    let headers: [String: String]
    let body: [UInt8]

    /// The body as JSON; `null` when it is none.
    var json: JSONValue { (try? JSONParser.parse(body)) ?? .null }
    var text: String { String(decoding: body, as: UTF8.self) }
}

extension TestStack {
    private static let session: URLSession = {
        let configuration = URLSessionConfiguration.ephemeral
        configuration.timeoutIntervalForRequest = 70
        configuration.httpMaximumConnectionsPerHost = 256
        return URLSession(configuration: configuration)
    }()

    /// Sends a request through nginx.
    func send(
        _ method: String, _ path: String, body: [UInt8]? = nil, headers: [String: String] = [:], key: String? = nil,
        authenticated: Bool = true
    ) async throws -> Answer {
        let url = try #require(URL(string: "http://127.0.0.1:\(port)\(path)"))
        var request = URLRequest(url: url)
        request.httpMethod = method
        request.httpBody = body.map { Data($0) }
        if body != nil { request.setValue("application/json", forHTTPHeaderField: "Content-Type") }
        if authenticated { request.setValue(key ?? self.key, forHTTPHeaderField: "X-API-Key") }
        for (name, value) in headers { request.setValue(value, forHTTPHeaderField: name) }
        let (data, response) = try await TestStack.session.data(for: request)
        let http = try #require(response as? HTTPURLResponse)
        var fields: [String: String] = [:]
        for (name, value) in http.allHeaderFields { fields["\(name)".lowercased()] = "\(value)" }
        let answer = Answer(status: http.statusCode, headers: fields, body: Array(data))
        // Every answer of every test is held against the description of the API.
        let problems = description.problems(method: method, path: path, answer)
        #expect(problems.isEmpty, "\(method) \(path): \(problems) \(answer.text.prefix(500))")
        return answer
    }

    /// A key of that account, as an operator makes it.
    func makeKey(
        _ permissions: String = "all", account: String = "default", limits: [String] = ["standard=0", "execution=0"],
        arguments: [String] = []
    ) throws -> String {
        try TestStack.command(
            home,
            ["api-key", "create", "--name", "made", "--permissions", permissions, "--account", account, "--quiet"]
                + limits.flatMap { ["--rate-limit", $0] } + arguments
        ).trimmingCharacters(in: .newlines)
    }

    /// Waits until a minute has so many seconds left, so that a test of a limit sees one minute.
    static func awaitMinute(leaving seconds: Double) async throws {
        let left = 60 - Date().timeIntervalSince1970.truncatingRemainder(dividingBy: 60)
        if left < seconds { try await Task.sleep(for: .seconds(left + 0.1)) }
    }

    /// `POST /api/execute`.
    func execute(_ body: JSONValue, headers: [String: String] = [:]) async throws -> Answer {
        try await send("POST", "/api/execute", body: body.bytes, headers: headers)
    }

    /// Runs a program and gives the result.
    func run(_ language: String, _ code: String, _ more: [(String, JSONValue)] = []) async throws -> JSONValue {
        let answer = try await execute(
            .object(JSONObject([("language", .string(language)), ("code", .string(code))] + more)))
        #expect(answer.status == 200, "\(answer.text)")
        return answer.json
    }

    /// Waits until the API answers again, at most that many seconds. Returns how long it took.
    func waitUntilHealthy(seconds: Double) async -> Double? {
        let begin = Date()
        while Date().timeIntervalSince(begin) < seconds {
            if let answer = try? await send("GET", "/api/health"), answer.status == 200,
                answer.json["status"]?.stringValue == "healthy"
            {
                return Date().timeIntervalSince(begin)
            }
            try? await Task.sleep(for: .milliseconds(50))
        }
        return nil
    }
}
