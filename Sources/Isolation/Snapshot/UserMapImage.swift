internal import LinuxKernel

/// CRIU's file with the id maps of a user namespace (`userns-<n>.img`, images/userns.proto).
///
/// Everything else in CRIU's files tells ids as they are inside; these maps alone say which of the host they are. A copy of a
/// sandbox has others.
enum UserMapImage {
    private static let header = 12

    /// Writes the maps of a slot in place of those in the file.
    static func write(_ slot: UserSlot, in directory: String) throws(SystemCallError) {
        guard
            let name = try Files.list(directory).first(where: { $0.hasPrefix("userns-") && $0.hasSuffix(".img") })
        else { throw SystemCallError(call: "userns", errno: 2) }  // ENOENT
        let path = "\(directory)/\(name)"
        let bytes = try Files.read(path)
        guard bytes.count > header else { throw SystemCallError(call: "userns", errno: 74) }  // EBADMSG
        let extent = field(1, 0) + field(2, UInt64(slot.base)) + field(3, UInt64(UserSlot.size))
        let entry = message(1, extent) + message(2, extent)
        let size = (0..<4).map { UInt8(truncatingIfNeeded: entry.count >> (8 * $0)) }
        // Another file in its place: the snapshot's own shares it by a hard link.
        try Files.writeAtomically(path, Array(bytes[..<8]) + size + entry, mode: 0o644)
    }

    /// A number of a protocol buffer.
    private static func field(_ number: UInt8, _ value: UInt64) -> [UInt8] { [number << 3] + varint(value) }

    /// A message within one.
    private static func message(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] {
        [number << 3 | 2] + varint(UInt64(bytes.count)) + bytes
    }

    private static func varint(_ value: UInt64) -> [UInt8] {
        var rest = value
        var bytes: [UInt8] = []
        repeat {
            let low = UInt8(rest & 0x7F)
            rest >>= 7
            bytes.append(rest == 0 ? low : low | 0x80)
        } while rest != 0
        return bytes
    }
}
