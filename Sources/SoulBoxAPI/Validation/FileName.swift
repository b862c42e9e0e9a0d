/// The rules for names of files that a client places below `/workspace`.
enum FileName {
    /// Bytes in one segment (`NAME_MAX`).
    static let maximumSegment = 255

    /// Bytes in a whole path (`PATH_MAX`, its NUL included).
    static let maximumPath = 4095

    /// What is wrong with a name; nil when it is relative, stays below `/workspace` and has one spelling only.
    static func problem(_ name: String) -> String? {
        let bytes = name.utf8
        guard !bytes.isEmpty else { return "Must not be empty" }
        guard !bytes.contains(0) else { return "Must not contain NUL" }
        guard bytes.first != UInt8(ascii: "/") else { return "Must be a relative path" }
        guard bytes.count <= maximumPath else { return "Must be at most \(maximumPath) bytes long" }
        for segment in name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            guard !segment.isEmpty else { return "Must not contain empty path segments" }
            guard !segment.elementsEqual(".".utf8), !segment.elementsEqual("..".utf8) else {
                return "Must not contain '.' or '..' as a path segment"
            }
            guard segment.count <= maximumSegment else {
                return "Path segments must be at most \(maximumSegment) bytes long"
            }
        }
        return nil
    }

    /// What is wrong with the name of a file that an interpreter or a compiler is given to run: one that it would take for an
    /// option, or for a file of options.
    static func optionProblem(_ name: String) -> String? {
        name.hasPrefix("-") || name.hasPrefix("@") ? "Must not begin with '-' or '@'" : nil
    }

    /// Whether two names cannot stand side by side: they are equal, or one lies beneath the other.
    static func collide(_ first: String, _ second: String) -> Bool {
        let (first, second) = (Array(first.utf8), Array(second.utf8))
        let separator = UInt8(ascii: "/")
        return first == second || first.starts(with: second + [separator]) || second.starts(with: first + [separator])
    }

    /// The indices of names that occur twice, or that lie beneath the name of another file.
    static func conflicts(_ names: [String]) -> [(index: Int, reason: String)] {
        var conflicts: [(index: Int, reason: String)] = []
        var files: Set<[UInt8]> = []
        // Byte by byte: Swift's strings hold two spellings of one character equal, the file system does not.
        let paths = names.map { Array($0.utf8) }
        for (index, path) in paths.enumerated() where !files.insert(path).inserted {
            conflicts.append((index, "Is named twice"))
        }
        for (index, path) in paths.enumerated() {
            for end in path.indices where path[end] == UInt8(ascii: "/") && files.contains(Array(path[..<end])) {
                conflicts.append((index, "Lies beneath another file"))
                break
            }
        }
        return conflicts
    }
}
