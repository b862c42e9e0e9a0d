internal import SoulBoxModel
internal import SoulBoxStore

/// A part of a list as the API answers it, with the way to the next part.
enum Paging {
    /// The answer.
    ///
    /// - Parameters:
    ///   - name: The member that holds the items.
    ///   - next: The identifier of the last item; a walk by cursor goes on after it.
    ///   - inBody: Whether the body tells total, limit and offset too.
    ///   - extra: Parameters that the following pages need besides those of this one.
    static func response(
        _ name: String, _ items: [JSONValue], total: Int64, _ page: Page, next: String?, _ request: HTTPRequest,
        also extra: [(String, String)] = [], inBody: Bool = false
    ) -> HTTPResponse {
        var headers: [APIError.Header] = [
            .init("X-Pagination-Total", String(total)), .init("X-Pagination-Limit", String(page.limit)),
        ]
        if page.cursor == nil { headers.append(.init("X-Pagination-Offset", String(page.offset))) }
        let isLast = page.cursor == nil ? Int64(page.offset + items.count) >= total : items.count < page.limit
        if !isLast, !items.isEmpty, let next {
            var parameters = kept(request.query, without: ["limit", "offset", "cursor"] + extra.map(\.0))
            for (name, value) in extra { parameters.append("\(name)=\(value)") }
            let place = page.cursor == nil ? "offset=\(page.offset + page.limit)" : "cursor=\(next)"
            let target =
                request.rawPath + "?" + ([place, "limit=\(page.limit)"] + parameters).joined(separator: "&")
            headers.append(.init("X-Pagination-Next", target))
            headers.append(.init("Link", "<\(target)>; rel=\"next\""))
            headers.append(.init("X-Pagination-Cursor", next))
        }
        var body = JSONObject([(name, .array(items))])
        if inBody {
            body["total"] = .integer(total)
            body["limit"] = JSONValue(page.limit)
            body["offset"] = JSONValue(page.offset)
        }
        return .json(.object(body), headers: headers)
    }

    /// The parameters of a query as they were written, but for those names.
    private static func kept(_ query: String, without names: [String]) -> [String] {
        query.split(separator: "&").filter { pair in
            !names.contains(String(pair.split(separator: "=", maxSplits: 1).first ?? ""))
        }.map { part in
            // What was sent goes into a header and a link: nothing that could end either.
            part.filter { $0.isASCII && !"<>\"\\^`{|} ".contains($0) && !$0.isNewline }
        }
    }
}
