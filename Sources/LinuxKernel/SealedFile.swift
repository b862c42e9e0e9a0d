internal import CLinux
internal import Glibc

/// A file in memory that nobody can change any more (memfd_create(2), F_ADD_SEALS of fcntl(2)).
public struct SealedFile: ~Copyable {
    private let descriptor: Descriptor
    /// How many bytes have been appended.
    public private(set) var size = 0

    /// The number of its descriptor, while it is not sealed.
    public var rawValue: CInt { descriptor.rawValue }

    /// An empty file, still open for appending. The name shows in `/proc` only.
    public init(name: String) throws(SystemCallError) {
        descriptor = Descriptor(
            owning: try check("memfd_create") {
                soulbox_memfd_create(name, UInt32(SOULBOX_MFD_CLOEXEC | SOULBOX_MFD_ALLOW_SEALING))
            })
    }

    /// Appends bytes.
    public mutating func append(_ bytes: [UInt8]) throws(SystemCallError) {
        try Files.write(to: descriptor.rawValue, bytes)
        size += bytes.count
    }

    /// Seals the file against writing, shrinking, growing and unsealing, and stands it at its beginning.
    public consuming func seal() throws(SystemCallError) -> Descriptor {
        try SealedFile.seal(descriptor.rawValue)
        return descriptor
    }

    /// Gives the file as it stands; `seal(_:)` can seal it later.
    public consuming func unsealed() -> Descriptor { descriptor }

    /// Seals a file as `seal()` does, by its descriptor.
    public static func seal(_ descriptor: CInt) throws(SystemCallError) {
        try check("fcntl") { soulbox_seal(descriptor) }
        try check("lseek") { lseek(descriptor, 0, SEEK_SET) }
    }

    /// A sealed file with these contents.
    public static func make(name: String, contents: [UInt8]) throws(SystemCallError) -> Descriptor {
        var file = try SealedFile(name: name)
        try file.append(contents)
        return try file.seal()
    }
}
