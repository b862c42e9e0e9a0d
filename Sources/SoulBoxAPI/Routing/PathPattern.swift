/// The shape of a route's path, as `/api/execute/{id}/files/{path...}`.
///
/// `{name}` takes one segment, `{name...}` all that is left, at least one.
struct PathPattern: Sendable, Equatable {
    private enum Segment: Sendable, Equatable {
        case literal(String)
        case parameter(String)
        case rest(String)
    }

    private let segments: [Segment]

    /// Reads a pattern.
    init(_ text: String) {
        segments = text.split(separator: "/").map { segment in
            guard segment.hasPrefix("{"), segment.hasSuffix("}") else { return .literal(String(segment)) }
            let name = segment.dropFirst().dropLast()
            return name.hasSuffix("...") ? .rest(String(name.dropLast(3))) : .parameter(String(name))
        }
    }

    /// The parameters of a path that has this shape; nil for any other path.
    ///
    /// - Parameter path: The decoded segments. A decoded slash never splits a segment.
    func match(_ path: [String]) -> [String: String]? {
        var parameters: [String: String] = [:]
        var index = 0
        for segment in segments {
            guard index < path.count else { return nil }
            switch segment {
            case .literal(let text):
                guard path[index] == text else { return nil }
            case .parameter(let name): parameters[name] = path[index]
            case .rest(let name):
                let rest = path[index...]
                // A segment that holds a slash names no file: joining would make it another path.
                guard rest.allSatisfy({ !$0.isEmpty && !$0.utf8.contains(UInt8(ascii: "/")) }) else { return nil }
                parameters[name] = rest.joined(separator: "/")
                return parameters
            }
            index += 1
        }
        return index == path.count ? parameters : nil
    }
}
