internal import LinuxKernel

/// The packages of a built root with their versions, from dpkg's own table.
struct InstalledPackages {
    private let versions: [String: String]

    /// Reads `/var/lib/dpkg/status` of a root.
    init(root: String) throws(ImageError) {
        let path = "\(root)/var/lib/dpkg/status"
        do {
            self.init(status: try Files.readString(path, maximum: 64 << 20))
        } catch {
            throw ImageError("\(path): \(error)")
        }
    }

    /// Reads a table's text.
    init(status: String) {
        var versions: [String: String] = [:]
        var package = ""
        for line in status.split(separator: "\n") {
            if line.hasPrefix("Package: ") { package = String(line.dropFirst(9)) }
            if line.hasPrefix("Version: ") { versions[package] = String(line.dropFirst(9)) }
        }
        self.versions = versions
    }

    /// The version that the authors of a package gave it: `1:1.24.2-1+deb12u1` is `1.24.2`.
    func upstreamVersion(of package: String) throws(ImageError) -> String {
        guard let version = versions[package] else {
            throw ImageError("package \(package) is not in the image", advice: "Add it to `install` of the recipe.")
        }
        let withoutEpoch = version.split(separator: ":").last ?? ""
        let number = withoutEpoch.prefix { $0.isNumber || $0 == "." }
        return String(number.last == "." ? number.dropLast() : number)
    }
}
