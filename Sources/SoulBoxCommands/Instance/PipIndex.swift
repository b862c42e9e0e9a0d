import Foundation
import LinuxKernel

/// The index that the host's pip installs from, when that is not pip's own.
enum PipIndex {
    /// What the environment says, then `/etc/pip.conf` (pip's documentation, "Configuration"). One with a password in it is
    /// not handed to tenants; whoever wants that says so in `soulbox.yml`.
    static func host(
        environment: [String: String] = ProcessInfo.processInfo.environment, file: String = "/etc/pip.conf"
    ) -> String? {
        let found = environment["PIP_INDEX_URL"] ?? (try? Files.readString(file)).flatMap(global)
        guard let found, !found.isEmpty, URLComponents(string: found)?.user == nil else { return nil }
        return found
    }

    /// `index-url` of the section `global`.
    static func global(_ text: String) -> String? {
        var isGlobal = false
        for line in text.split(whereSeparator: \.isNewline) {
            let line = line.trimmingCharacters(in: .whitespaces)
            if line.hasPrefix("[") {
                isGlobal = line == "[global]"
                continue
            }
            guard isGlobal, let mark = line.firstIndex(where: { $0 == "=" || $0 == ":" }) else { continue }
            let name = line[..<mark].trimmingCharacters(in: .whitespaces).replacingOccurrences(of: "_", with: "-")
            if name == "index-url" { return line[line.index(after: mark)...].trimmingCharacters(in: .whitespaces) }
        }
        return nil
    }
}
