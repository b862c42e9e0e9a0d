/// Comparison of entity tags (RFC 9110, section 8.8.3).
enum EntityTag {
    /// Whether a value of `If-None-Match` names a tag, weakly compared.
    static func matches(_ field: String, _ tag: String) -> Bool {
        field.split(separator: ",").contains { candidate in
            let text = candidate.filter { !$0.isWhitespace }
            return text == "*" || text == tag || text == "W/" + tag
        }
    }
}
