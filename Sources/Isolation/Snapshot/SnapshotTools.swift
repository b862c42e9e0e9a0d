internal import Crypto
internal import Glibc
internal import LinuxKernel

/// The programs that snapshots need, in a root of their own (`images/tools`), run by that root's own loader: the host's CRIU
/// may be too old for its kernel.
struct SnapshotTools: Sendable {
    /// The root.
    let root: String
    /// The version of CRIU.
    let criu: String
    /// The seconds within which CRIU writes processes, or lets them go on.
    let seconds: Int

    /// Why processes cannot be held; for the operator and for clients.
    struct Missing: Error, Sendable, CustomStringConvertible {
        let description: String
    }

    private static let loaders = ["usr/lib64/ld-linux-x86-64.so.2", "usr/lib/ld-linux-aarch64.so.1"]
    private static let libraries = ["usr/lib/x86_64-linux-gnu", "usr/lib/aarch64-linux-gnu"]
    private static let oldest = (major: 4, minor: 1)

    /// The loader with its arguments, before a program's path.
    private var loader: [String] {
        let loader = SnapshotTools.loaders.map { "\(root)/\($0)" }.first(where: Files.exists) ?? ""
        return [loader, "--library-path", SnapshotTools.libraries.map { "\(root)/\($0)" }.joined(separator: ":")]
    }

    /// The command line of CRIU.
    var criuCommand: [String] { loader + ["\(root)/usr/sbin/criu"] }

    /// The command line of zstd(1).
    var zstdCommand: [String] { loader + ["\(root)/usr/bin/zstd"] }

    /// Looks for the tools and tries whether CRIU works on this kernel.
    static func find(imageDirectory: String, seconds: Int) -> Result<SnapshotTools, Missing> {
        let root = "\(imageDirectory)/tools/current/rootfs"
        guard Files.exists("\(root)/usr/sbin/criu") else {
            return .failure(Missing(description: "the tools image is not built (soulbox image build tools)"))
        }
        let tools = SnapshotTools(root: root, criu: "", seconds: seconds)
        guard let text = try? ToolProcess(command: tools.criuCommand + ["--version"]).output(seconds: 10),
            let version = text.split(whereSeparator: \.isWhitespace).first(where: { $0.first?.isNumber == true })
        else { return .failure(Missing(description: "CRIU does not start")) }
        let numbers = version.split(separator: ".").compactMap { Int($0) }
        guard numbers.count >= 2, (numbers[0], numbers[1]) >= oldest else {
            return .failure(Missing(description: "CRIU \(version) is too old"))
        }
        guard (try? ToolProcess(command: tools.criuCommand + ["check"]).output(seconds: 20)) != nil else {
            return .failure(Missing(description: "this kernel lacks what CRIU needs (criu check)"))
        }
        return .success(SnapshotTools(root: root, criu: String(version), seconds: seconds))
    }

    /// The kernel's release (uname(2)).
    static var kernel: String {
        ((try? Files.readString("/proc/sys/kernel/osrelease")) ?? "").split(separator: "\n").first.map(String.init)
            ?? ""
    }

    /// The processor's features, as a digest.
    static var processor: String {
        let text = (try? Files.readString("/proc/cpuinfo", maximum: 16 << 20)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("flags") || $0.hasPrefix("Features") } ?? ""
        let features = line.split(separator: " ").map(String.init).sorted().joined(separator: " ")
        return SparseDigest.hexadecimal(SHA256.hash(data: Array(features.utf8)).prefix(16))
    }

    /// Compresses files in place, each into one with `.zst` behind its name (RFC 8878).
    func compress(_ paths: [String]) throws(SandboxError) {
        guard !paths.isEmpty else { return }
        do {
            _ = try ToolProcess(command: zstdCommand + ["-q", "-3", "-T0", "--rm", "--"] + paths).output(seconds: 3600)
        } catch {
            throw SandboxError(.snapshot, "zstd: \(error)")
        }
    }

    /// Writes what a compressed file holds to another one, with holes where there are zeros.
    func decompress(_ path: String, to target: String) throws(SandboxError) {
        do {
            _ = try ToolProcess(command: zstdCommand + ["-q", "-d", "-f", "--sparse", "-o", target, "--", path])
                .output(seconds: 3600)
        } catch {
            throw SandboxError(.snapshot, "zstd: \(error)")
        }
    }
}
