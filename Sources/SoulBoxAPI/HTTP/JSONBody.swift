internal import SoulBoxModel

/// Reads a request's body as the JSON object that every route with a body wants.
enum JSONBody {
    /// The object.
    ///
    /// - Throws: 415 for another media type, 413 beyond `limit` bytes, 400 for anything but a JSON object.
    static func object(of request: HTTPRequest, limit: Int) throws(APIError) -> JSONObject {
        try read(request, limit: limit).object
    }

    /// The object, or an empty one when there is no body.
    static func optionalObject(
        of request: HTTPRequest, limit: Int
    ) throws(APIError) -> (object: JSONObject, bytes: [UInt8]) {
        guard request.body.contentLength ?? 0 > 0 else { return (JSONObject(), []) }
        return try read(request, limit: limit)
    }

    /// The object, with the bytes that it was read from.
    static func read(
        _ request: HTTPRequest, limit: Int
    ) throws(APIError) -> (object: JSONObject, bytes: [UInt8]) {
        guard isJSON(request.header("Content-Type") ?? "") else {
            throw APIError(
                .validationError, status: 415, "The request body must be JSON",
                details: JSONObject([("field", "Content-Type"), ("reason", "Must be application/json")]))
        }
        let bytes: [UInt8]
        do {
            bytes = try request.body.readAll(limit: limit)
        } catch {
            throw error.apiError
        }
        do {
            guard let object = try JSONParser.parse(bytes).objectValue else {
                throw JSONError(reason: "the body is not an object", offset: 0)
            }
            return (object, bytes)
        } catch let error as JSONError {
            throw APIError(
                .validationError, "The request body is not valid JSON",
                details: JSONObject([("field", "body"), ("reason", .string(error.description))]))
        } catch {
            throw .internalError
        }
    }

    private static func isJSON(_ type: String) -> Bool {
        let parts = type.lowercased().split(separator: ";").map { $0.split(separator: " ").joined() }
        guard parts.first == "application/json" else { return false }
        return parts.dropFirst().allSatisfy {
            !$0.hasPrefix("charset=") || $0 == "charset=utf-8" || $0 == "charset=\"utf-8\""
        }
    }
}
