internal import LinuxKernel

/// Where Debian's packages come from: what the host's own apt uses, unless the operator names another mirror.
public struct AptMirror: Sendable, Equatable {
    /// The main archive.
    public let archive: String

    /// The archive of security updates; nil where the host has none.
    public let security: String?

    /// A mirror of those addresses.
    public init(archive: String, security: String?) {
        self.archive = archive
        self.security = security
    }

    /// The mirror that the host's sources name, with the operator's own choice before it.
    public static func host(
        override archive: String? = nil, directory: String = "/etc/apt"
    ) throws(ImageError) -> AptMirror {
        var sources: [AptSource] = []
        if let text = try? Files.readString("\(directory)/sources.list") { sources += AptSource.parse(list: text) }
        for name in ((try? Files.list("\(directory)/sources.list.d")) ?? []).sorted() {
            guard let text = try? Files.readString("\(directory)/sources.list.d/\(name)") else { continue }
            if name.hasSuffix(".list") { sources += AptSource.parse(list: text) }
            if name.hasSuffix(".sources") { sources += AptSource.parse(deb822: text) }
        }
        let security = sources.first(where: \.isSecurity)?.uri
        if let archive { return AptMirror(archive: archive, security: security) }
        guard let archive = main(of: sources) else {
            throw ImageError(
                "no source in \(directory) names Debian's main archive",
                advice: "Name a mirror with --mirror, or as images.mirror in the configuration.")
        }
        return AptMirror(archive: archive, security: security)
    }

    /// The lines that a new root of that release is made from.
    func lines(suite: String, keyring: String) -> [String] {
        var lines = [
            "deb [signed-by=\(keyring)] \(archive) \(suite) main",
            "deb [signed-by=\(keyring)] \(archive) \(suite)-updates main",
        ]
        if let security { lines.append("deb [signed-by=\(keyring)] \(security) \(suite)-security main") }
        return lines
    }

    /// Debian's main archive among the sources.
    ///
    /// Others publish under a release's name too, but only Debian has `<release>-updates` beside it, or else a path
    /// that ends in `/debian` and the component `main`.
    private static func main(of sources: [AptSource]) -> String? {
        let candidates = sources.filter { $0.components.contains("main") && !$0.isSecurity }
        let paired = candidates.first { source in
            candidates.contains { $0.uri == source.uri && $0.suite == "\(source.suite)-updates" }
        }
        return (paired ?? candidates.first { $0.uri.hasSuffix("/debian") && !$0.suite.contains("-") })?.uri
    }
}

extension AptSource {
    /// Whether it is the archive of a Debian release's security updates.
    fileprivate var isSecurity: Bool { components.contains("main") && suite.hasSuffix("-security") }
}
