/// The media type of a stored file, by its name's ending.
enum ContentType {
    private static let types: [String: String] = [
        "csv": "text/csv; charset=utf-8", "gif": "image/gif", "gz": "application/gzip",
        "htm": "text/html; charset=utf-8",
        "html": "text/html; charset=utf-8", "jpeg": "image/jpeg", "jpg": "image/jpeg", "json": "application/json",
        "log": "text/plain; charset=utf-8", "md": "text/markdown; charset=utf-8", "pdf": "application/pdf",
        "png": "image/png", "py": "text/x-python; charset=utf-8", "svg": "image/svg+xml", "tar": "application/x-tar",
        "txt": "text/plain; charset=utf-8", "webp": "image/webp", "xml": "application/xml", "zip": "application/zip",
    ]

    /// The media type for a path; `application/octet-stream` when the ending tells nothing.
    static func of(_ path: String) -> String {
        guard let name = path.split(separator: "/").last, let dot = name.lastIndex(of: ".") else { return fallback }
        return types[name[name.index(after: dot)...].lowercased()] ?? fallback
    }

    private static let fallback = "application/octet-stream"
}
