internal import LinuxKernel

/// The host's programs that unpack container images.
enum ImportTools {
    static let skopeo = "/usr/bin/skopeo"
    static let umoci = "/usr/bin/umoci"
    static let tar = "/usr/bin/tar"

    /// Throws when one is missing, and names the packages.
    static func check() throws(ImageError) {
        let missing = [(skopeo, "skopeo"), (umoci, "umoci")].filter { !Files.exists($0.0) }.map(\.1)
        guard missing.isEmpty else {
            throw ImageError(
                "\(missing.joined(separator: " and ")) \(missing.count == 1 ? "is" : "are") missing",
                advice: "Install what imports need: apt-get install skopeo umoci")
        }
        guard ExtendedFilesystem.isAvailable, Files.exists("/dev/loop-control") else {
            throw ImageError(
                "loop devices or the tools for ext4 are missing",
                advice: "Archives are unpacked on a disk of limited size: apt-get install e2fsprogs; modprobe loop")
        }
    }

    /// What an import's programs start with: a fixed environment, and the operator's proxies where they use the network.
    static func environment(proxies: [String]) -> [String] {
        ["PATH=/usr/bin:/bin", "HOME=/tmp", "TMPDIR=/work/temporary", "LC_ALL=C.UTF-8"] + proxies
    }
}
