internal import IsolationProtocol
internal import SoulBoxExecution
internal import SoulBoxModel
internal import SoulBoxStore

/// Files of persistent sandboxes.
struct FileRoutes: Sendable {
    private static let bodyLimit = 64 << 10
    private static let maximumParts = 100

    let service: SandboxFileService

    private var platform: Platform { service.sandboxes.platform }

    /// The lines of the route table.
    var routes: [Route] {
        let one = "/api/sandboxes/{sandbox_id}/files/{path...}"
        return [
            Route("POST", "/api/files/upload", .permission(.sandboxWrite), .upload, upload),
            Route("GET", "/api/sandboxes/{sandbox_id}/files", .permission(.sandboxRead), .standard, list),
            Route("POST", "/api/sandboxes/{sandbox_id}/rename", .permission(.sandboxWrite), .standard, move),
            Route("POST", "/api/sandboxes/{sandbox_id}/directories", .permission(.sandboxWrite), .standard, make),
            Route("GET", one, .permission(.sandboxRead), .standard, download),
            Route("PUT", one, .permission(.sandboxWrite), .upload, put),
            Route("DELETE", one, .permission(.sandboxWrite), .standard, remove),
        ]
    }

    private func upload(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        let caller = try platform.gate.admit(call)
        guard
            let reader = MultipartReader(
                call.request.body, contentType: call.request.header("Content-Type") ?? "")
        else {
            throw APIError(
                .validationError, status: 415, "The request body must be multipart/form-data",
                details: JSONObject([("field", "Content-Type"), ("reason", "Must be multipart/form-data")]))
        }
        var form = UploadForm(service: service, caller: caller)
        while let part = try reader.next() {
            guard form.parts < FileRoutes.maximumParts else { throw FileRoutes.wrong("file", "At most 100 parts") }
            try form.take(part, reader)
        }
        return .json(["files": .array(try form.finish().map(\.json))])
    }

    private func put(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        var validation = Validation()
        var query = QueryReader(call.request.query, &validation)
        let isArchive = FileRoutes.wantsArchive(&query, &validation)
        query.refuseUnread(&validation)
        let caller = try platform.gate.admit(call)
        if let error = validation.error { throw error }
        if isArchive { return try putArchive(call, caller) }
        let path = try FileRoutes.path(call.parameter("path"), "path")
        let digest = try FileRoutes.digest(call.request)
        let sandbox = try service.sandbox(call.parameter("sandbox_id"), caller)
        let body = call.request.body
        if let length = body.contentLength, Int64(length) > service.uploadLimit {
            throw BodyError.tooLarge(limit: Int(service.uploadLimit)).apiError
        }
        let staged = try service.stage(
            in: sandbox, digest: digest,
            from: { (take) throws(APIError) in
                var chunk = [UInt8](repeating: 0, count: 65_536)
                while true {
                    let result = chunk.withUnsafeMutableBytes { raw in
                        Result { () throws(BodyError) in try body.read(into: raw) }
                    }
                    switch result {
                    case .success(0): return
                    case .success(let count): try take(chunk[..<count])
                    case .failure(let error): throw error.apiError
                    }
                }
            })
        let stored = try service.commit(staged, path)
        return .json(stored.json, status: 201, headers: [.init("ETag", stored.entry.entityTag)])
    }

    private func putArchive(_ call: Route.Call, _ caller: Caller) throws(APIError) -> HTTPResponse {
        guard let path = SandboxPath.parse(call.parameter("path")) else {
            throw FileRoutes.wrong("path", SandboxPath.problem)
        }
        let sandbox = try service.sandbox(call.parameter("sandbox_id"), caller)
        let body = call.request.body
        if let length = body.contentLength, Int64(length) > service.uploadLimit {
            throw BodyError.tooLarge(limit: Int(service.uploadLimit)).apiError
        }
        let count = try ArchiveReader(service: service, sandbox: sandbox, path: path).read { count in
            var chunk = [UInt8](repeating: 0, count: count)
            let got = try chunk.withUnsafeMutableBytes { try body.read(into: $0) }
            return Array(chunk[..<got])
        }
        return .json(["path": .string(SandboxPath.show(path)), "entries": JSONValue(count)], status: 201)
    }

    private func list(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        var validation = Validation()
        var query = QueryReader(call.request.query, &validation)
        let path = SandboxPath.parse(query.text("path") ?? "")
        if path == nil { validation.fail("path", SandboxPath.problem) }
        let recursive = query.bool("recursive", &validation) ?? false
        let wantsArchive = FileRoutes.wantsArchive(&query, &validation)
        let page = query.page(.event, &validation)
        query.refuseUnread(&validation)
        let caller = try platform.gate.admit(call)
        if let error = validation.error { throw error }
        guard let path else { throw .internalError }
        let sandbox = try service.sandbox(call.parameter("sandbox_id"), caller)
        if wantsArchive { return try archive(path, sandbox, page) }
        let listing = try service.isolate(sandbox) { connection throws(IsolationError) in
            try connection.list(
                path, recursive: recursive, limit: SandboxFileService.listLimit, in: sandbox.identifier,
                account: sandbox.account)
        }
        let shown = listing.entries.dropFirst(page.offset).prefix(page.limit)
        return Paging.response(
            "files", shown.map(\.json), total: Int64(listing.entries.count), page, next: nil, call.request)
    }

    private func archive(
        _ path: String, _ sandbox: AccountSandbox, _ page: Page? = nil
    ) throws(APIError) -> HTTPResponse {
        let writer = ArchiveWriter(service: service, sandbox: sandbox, path: path)
        let entries = try writer.entries()
        var headers: [APIError.Header] = [
            .init("Content-Type", "application/gzip"), .init("Content-Disposition", "attachment"),
            .init("Content-Security-Policy", "sandbox; default-src 'none'"),
        ]
        // In the place of a list it has a list's headers.
        if let page {
            headers.append(.init("X-Pagination-Total", String(entries.count)))
            headers.append(.init("X-Pagination-Limit", String(page.limit)))
        }
        return HTTPResponse(
            status: 200, headers: headers,
            stream: BodyStream { send in try writer.write(entries, send) })
    }

    /// Whether `archive=tar.gz` is asked for.
    private static func wantsArchive(_ query: inout QueryReader, _ validation: inout Validation) -> Bool {
        guard let kind = query.text("archive") else { return false }
        if kind != "tar.gz" { validation.fail("archive", "Must be tar.gz") }
        return true
    }

    private func download(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        var validation = Validation()
        var query = QueryReader(call.request.query, &validation)
        let wantsArchive = FileRoutes.wantsArchive(&query, &validation)
        query.refuseUnread(&validation)
        let caller = try platform.gate.admit(call)
        if let error = validation.error { throw error }
        let path = try FileRoutes.path(call.parameter("path"), "path")
        let sandbox = try service.sandbox(call.parameter("sandbox_id"), caller)
        if wantsArchive { return try archive(path, sandbox) }
        let (entry, descriptor) = try service.isolate(sandbox) { connection throws(IsolationError) in
            try connection.open(path, in: sandbox.identifier, account: sandbox.account)
        }
        let common: [APIError.Header] = [
            .init("ETag", entry.entityTag), .init("Accept-Ranges", "bytes"),
            .init("Last-Modified", HTTPDate.text(entry.modifiedAt)),
        ]
        let request = call.request
        if let known = request.header("If-None-Match"), EntityTag.matches(known, entry.entityTag) {
            return HTTPResponse(status: 304, headers: common)
        }
        let mayBePart = request.header("If-Range").map { $0 == entry.entityTag } ?? true
        let range = ByteRange(mayBePart ? request.header("Range") : nil, size: entry.size)
        var headers =
            common + [
                .init("Content-Type", ContentType.of(path)),
                // A program's file must never run as a page of this origin.
                .init("Content-Disposition", "attachment"),
                .init("Content-Security-Policy", "sandbox; default-src 'none'"),
            ]
        switch range {
        case .whole:
            return HTTPResponse(
                status: 200, headers: headers,
                file: FileRange(descriptor: descriptor, offset: 0, count: entry.size))
        case .part(let part):
            headers.append(.init("Content-Range", "bytes \(part.lowerBound)-\(part.upperBound - 1)/\(entry.size)"))
            return HTTPResponse(
                status: 206, headers: headers,
                file: FileRange(
                    descriptor: descriptor, offset: part.lowerBound, count: part.upperBound - part.lowerBound))
        case .unsatisfiable:
            throw APIError(
                .validationError, status: 416, "The range lies outside the file",
                details: JSONObject([("field", "Range"), ("reason", .string("The file has \(entry.size) bytes"))]),
                headers: [.init("Content-Range", "bytes */\(entry.size)")])
        }
    }

    private func remove(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        var validation = Validation()
        var query = QueryReader(call.request.query, &validation)
        let recursive = query.bool("recursive", &validation) ?? false
        query.refuseUnread(&validation)
        let caller = try platform.gate.admit(call)
        if let error = validation.error { throw error }
        let path = try FileRoutes.path(call.parameter("path"), "path")
        let sandbox = try service.sandbox(call.parameter("sandbox_id"), caller)
        try service.isolate(sandbox) { connection throws(IsolationError) in
            try connection.remove(path, recursive: recursive, in: sandbox.identifier, account: sandbox.account)
        }
        return .json(["message": "File deleted successfully"])
    }

    private func make(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        let caller = try platform.gate.admit(call)
        let object = try JSONBody.object(of: call.request, limit: FileRoutes.bodyLimit)
        var validation = Validation()
        let reader = FieldReader(object)
        reader.refuseUnknown(except: ["path"], &validation)
        let path = FileRoutes.path(reader, "path", &validation)
        if let error = validation.error { throw error }
        guard let path else { throw .internalError }
        let sandbox = try service.sandbox(call.parameter("sandbox_id"), caller)
        let entry = try service.isolate(sandbox) { connection throws(IsolationError) in
            try connection.makeDirectory(path, in: sandbox.identifier, account: sandbox.account)
        }
        return .json(entry.json, status: 201)
    }

    private func move(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        let caller = try platform.gate.admit(call)
        let object = try JSONBody.object(of: call.request, limit: FileRoutes.bodyLimit)
        var validation = Validation()
        let reader = FieldReader(object)
        reader.refuseUnknown(except: ["from", "to", "replace"], &validation)
        let from = FileRoutes.path(reader, "from", &validation)
        let to = FileRoutes.path(reader, "to", &validation)
        let replacing = reader.bool("replace", &validation) ?? false
        if let error = validation.error { throw error }
        guard let from, let to else { throw .internalError }
        let sandbox = try service.sandbox(call.parameter("sandbox_id"), caller)
        let entry = try service.isolate(sandbox) { connection throws(IsolationError) in
            try connection.move(
                from, to: to, replacing: replacing, in: sandbox.identifier, account: sandbox.account)
        }
        return .json(entry.json)
    }

    /// A path that names something below the workspace, and not the workspace itself.
    static func path(_ text: String, _ field: String) throws(APIError) -> String {
        guard let path = SandboxPath.parse(text), !path.isEmpty else { throw wrong(field, SandboxPath.problem) }
        return path
    }

    private static func path(_ reader: FieldReader, _ name: String, _ validation: inout Validation) -> String? {
        guard let text = reader.string(name, &validation) else {
            if reader.value(name) == nil { validation.fail(name, "Is required") }
            return nil
        }
        guard let path = SandboxPath.parse(text), !path.isEmpty else {
            validation.fail(name, SandboxPath.problem)
            return nil
        }
        return path
    }

    /// The SHA-256 that the client says its bytes have (RFC 9530): `Content-Digest: sha-256=:<base64>:`.
    private static func digest(_ request: HTTPRequest) throws(APIError) -> [UInt8]? {
        guard let field = request.header("Content-Digest") else { return nil }
        for member in field.split(separator: ",") {
            let text = member.filter { !$0.isWhitespace }
            guard text.lowercased().hasPrefix("sha-256=:"), text.hasSuffix(":") else { continue }
            guard let bytes = Base64.decode(String(text.dropFirst(9).dropLast())), bytes.count == 32 else { break }
            return bytes
        }
        throw wrong("Content-Digest", "Must be sha-256=:<base64 of 32 bytes>:")
    }

    static func wrong(_ field: String, _ reason: String) -> APIError {
        var validation = Validation()
        validation.fail(field, reason)
        return validation.error ?? .internalError
    }
}
