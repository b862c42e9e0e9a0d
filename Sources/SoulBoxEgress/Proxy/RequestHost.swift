/// Finds the host that the first request of a connection is for (RFC 9112, sections 3.2 and 5).
///
/// The connection belongs to that host from then on; that a later request on it names another host of the same server
/// is not looked at, and reaches no other server.
enum RequestHost: Equatable {
    /// The bytes so far are the beginning of a request.
    case incomplete
    /// The host, in lower case.
    case found(String)
    /// The request names no host, or several, or the bytes are no request.
    case none

    /// Looks at everything that has come.
    static func find(in bytes: [UInt8]) -> RequestHost {
        guard let end = headEnd(bytes) else {
            // Nothing but text comes before the end of a head.
            return bytes.contains(where: { $0 == 0 }) ? .none : .incomplete
        }
        // Bytes that are no text would be read differently by different servers.
        guard bytes[..<end].allSatisfy({ $0 == 9 || $0 == 10 || $0 == 13 || (0x20...0x7E).contains($0) }) else {
            return .none
        }
        let lines = String(decoding: bytes[..<end], as: UTF8.self).components(by: "\r\n")
        guard let request = lines.first, !lines.contains(where: { $0.contains("\n") || $0.contains("\r") }) else {
            return .none
        }
        let words = request.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 3, words[2] == "HTTP/1.1" || words[2] == "HTTP/1.0", words[0] != "CONNECT" else {
            return .none
        }
        var hosts: [String] = []
        for line in lines.dropFirst() {
            // A continued line (section 5.2) is read in more than one way.
            guard let colon = line.firstIndex(of: ":"), line.first != " ", line.first != "\t" else { return .none }
            let name = line[..<colon]
            guard !name.isEmpty, !name.contains(" "), !name.contains("\t") else { return .none }
            if name.lowercased() == "host" { hosts.append(trim(line[line.index(after: colon)...])) }
        }
        guard hosts.count == 1, let host = authority(hosts[0]) else { return .none }
        // The form for proxies says the host twice.
        if words[1].contains("://") {
            let rest = words[1].lowercased()
            guard rest.hasPrefix("http://"),
                let target = rest.dropFirst(7).split(whereSeparator: { "/?#".contains($0) }).first,
                authority(String(target)) == host
            else { return .none }
        }
        return .found(host)
    }

    private static func headEnd(_ bytes: [UInt8]) -> Int? {
        guard bytes.count >= 4 else { return nil }
        for index in 0...(bytes.count - 4)
        where bytes[index] == 13 && bytes[index + 1] == 10 && bytes[index + 2] == 13 && bytes[index + 3] == 10 {
            return index
        }
        return nil
    }

    private static func authority(_ text: String) -> String? {
        var name = Substring(text)
        if let colon = name.firstIndex(of: ":") {
            let port = name[name.index(after: colon)...]
            guard port.allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
            name = name[..<colon]
        }
        return HostName.normal(String(name))
    }

    private static func trim(_ text: Substring) -> String {
        func isBlank(_ character: Character) -> Bool { character == " " || character == "\t" }
        let start = text.drop(while: isBlank)
        guard let last = start.lastIndex(where: { !isBlank($0) }) else { return "" }
        return String(start[...last])
    }
}

extension String {
    /// The parts between a separator of several characters.
    fileprivate func components(by separator: String) -> [String] {
        var parts: [String] = []
        var rest = Array(utf8)[...]
        let mark = Array(separator.utf8)
        var current: [UInt8] = []
        while !rest.isEmpty {
            if rest.starts(with: mark) {
                parts.append(String(decoding: current, as: UTF8.self))
                current = []
                rest = rest.dropFirst(mark.count)
            } else {
                current.append(rest.removeFirst())
            }
        }
        return parts + [String(decoding: current, as: UTF8.self)]
    }
}
