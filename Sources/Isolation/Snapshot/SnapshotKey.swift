internal import Crypto
internal import LinuxKernel

/// The instance's key that manifests are signed with (HMAC-SHA-256, RFC 2104): what is restored decides what root's tools do,
/// so only what this installation wrote is believed.
struct SnapshotKey: Sendable {
    private static let length = 32

    private let key: SymmetricKey

    /// The key in a file of root's; made when there is none.
    init(path: String) throws(SystemCallError) {
        if !Files.exists(path) {
            let fresh = SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) }
            try Files.writeAtomically(path, fresh, mode: 0o600)
        }
        let bytes = try Files.read(path)
        guard bytes.count == SnapshotKey.length else { throw SystemCallError(call: "read", errno: 74) }  // EBADMSG
        key = SymmetricKey(data: bytes)
    }

    /// A manifest with its signature before it.
    func sign(_ manifest: [UInt8]) -> [UInt8] {
        let code = HMAC<SHA256>.authenticationCode(for: manifest, using: key)
        return Array(SparseDigest.hexadecimal(code).utf8) + [UInt8(ascii: "\n")] + manifest
    }

    /// The manifest in a signed text; nil when the signature is none of ours.
    func open(_ signed: [UInt8]) -> [UInt8]? {
        guard let end = signed.firstIndex(of: UInt8(ascii: "\n")), end == 64 else { return nil }
        let manifest = Array(signed[(end + 1)...])
        let wanted = Array(SparseDigest.hexadecimal(HMAC<SHA256>.authenticationCode(for: manifest, using: key)).utf8)
        // In constant time: how much of a forged one is right is nobody's to learn.
        let difference = zip(signed[..<end], wanted).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) }
        return difference == 0 ? manifest : nil
    }
}
