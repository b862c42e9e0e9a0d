/// One archive that apt reads packages from, of a one-line or a deb822 source (sources.list(5)).
struct AptSource: Sendable, Equatable {
    let uri: String
    let suite: String
    let components: [String]

    /// The archives of a one-line file; comments, `deb-src` and cdrom lines name none.
    static func parse(list text: String) -> [AptSource] {
        text.split(separator: "\n").compactMap { line in
            var words = withoutComment(line).split { $0 == " " || $0 == "\t" }.map(String.init)
            guard words.first == "deb" else { return nil }
            words.removeFirst()
            if words.first?.hasPrefix("[") == true {
                guard let end = words.firstIndex(where: { $0.hasSuffix("]") }) else { return nil }
                words.removeFirst(end + 1)
            }
            guard words.count >= 2, !words[0].hasPrefix("cdrom:") else { return nil }
            return AptSource(uri: trimmed(words[0]), suite: words[1], components: Array(words.dropFirst(2)))
        }
    }

    /// The archives of a deb822 file: one for each URI and suite of each enabled stanza.
    static func parse(deb822 text: String) -> [AptSource] {
        var sources: [AptSource] = []
        var fields: [String: [String]] = [:]
        var current = ""
        func endStanza() {
            defer { fields = [:] }
            guard fields["types"]?.contains("deb") == true, fields["enabled"]?.first?.lowercased() != "no" else {
                return
            }
            for uri in fields["uris"] ?? [] {
                for suite in fields["suites"] ?? [] {
                    sources.append(AptSource(uri: trimmed(uri), suite: suite, components: fields["components"] ?? []))
                }
            }
        }
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("#") { continue }
            if line.allSatisfy({ $0 == " " || $0 == "\t" }) {
                endStanza()
            } else if line.hasPrefix(" ") || line.hasPrefix("\t") {
                fields[current, default: []] += words(line)
            } else if let colon = line.firstIndex(of: ":") {
                current = line[..<colon].lowercased()
                fields[current] = words(line[line.index(after: colon)...])
            }
        }
        endStanza()
        return sources
    }

    private static func words(_ text: Substring) -> [String] {
        text.split { $0 == " " || $0 == "\t" }.map(String.init)
    }

    private static func withoutComment(_ line: Substring) -> Substring { line.prefix { $0 != "#" } }

    private static func trimmed(_ uri: String) -> String {
        var uri = uri
        while uri.hasSuffix("/") { uri.removeLast() }
        return uri
    }
}
