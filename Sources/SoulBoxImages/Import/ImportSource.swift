internal import Glibc
internal import LinuxKernel

/// Where a container image comes from.
enum ImportSource: Equatable {
    /// How an archive is compressed, as tar(1) wants to be told.
    enum Compression: String {
        case none = ""
        case gzip = "--gzip"
        case bzip2 = "--bzip2"
        case xz = "--xz"
        case zstd = "--zstd"
    }

    /// A tar file: an OCI archive, or what `docker save` writes.
    case archive(path: String, compression: Compression)
    /// A directory with an OCI layout.
    case layout(path: String)
    /// A reference of a registry's, without `docker://`.
    case registry(reference: String)

    /// What the operator named; whatever is no container image is refused here or by tar(1).
    init(_ argument: String) throws(ImageError) {
        if let scheme = argument.firstRange(of: "://") {
            let reference = String(argument[scheme.upperBound...])
            guard argument.hasPrefix("docker://"), ImportSource.isReference(reference) else {
                throw ImageError(
                    "\(argument) is no reference of an image",
                    advice: "Name a file, a directory or docker://registry/name:tag.")
            }
            self = .registry(reference: reference)
            return
        }
        do {
            // A FIFO would wait for its other end.
            let opened = try Files.open(argument, [.readOnly, .nonBlocking])
            let status = try Files.status(of: opened.rawValue)
            if status.isDirectory {
                let root = try RootDirectory(argument + "/.")
                guard root.status("oci-layout")?.isRegular == true, root.status("index.json")?.isRegular == true else {
                    throw ImportSource.refusal(argument, "it is a directory without oci-layout and index.json")
                }
                self = .layout(path: argument)
                return
            }
            guard status.isRegular else {
                throw ImportSource.refusal(argument, "it is a device or a pipe, and a device is never mounted")
            }
            let bytes = try Files.read(from: opened.rawValue, count: FilesystemImage.prefix)
            if let name = FilesystemImage.name(of: bytes) {
                throw ImportSource.refusal(argument, "it is a filesystem image (\(name)), and one is never mounted")
            }
            guard let compression = ImportSource.compression(of: bytes) else {
                throw ImportSource.refusal(argument, "it is no tar file")
            }
            self = .archive(path: argument, compression: compression)
        } catch let error as ImageError {
            throw error
        } catch {
            throw ImageError("\(argument): \(error)")
        }
    }

    static func refusal(_ argument: String, _ reason: String) -> ImageError {
        ImageError(
            "\(argument) is no OCI or docker archive: \(reason)",
            advice: "Make one with `docker save`, `podman save` or `skopeo copy … oci-archive:FILE`.")
    }

    /// How a tar file is compressed; nil when it is none. Headers of tar have `ustar` in the same place since 1988.
    private static func compression(of bytes: [UInt8]) -> Compression? {
        let signatures: [(Compression, Int, [UInt8])] = [
            (.gzip, 0, [0x1F, 0x8B]), (.bzip2, 0, Array("BZh".utf8)),
            (.xz, 0, [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00]), (.zstd, 0, [0x28, 0xB5, 0x2F, 0xFD]),
            (.none, 257, Array("ustar".utf8)),
        ]
        return signatures.first { bytes.dropFirst($0.1).starts(with: $0.2) }?.0
    }

    /// Whether a text may name an image in an archive or at a registry: it becomes part of an argument.
    static func isReference(_ text: String) -> Bool {
        guard let first = text.utf8.first, text.utf8.count <= 512 else { return false }
        func isWord(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: false
            }
        }
        return isWord(first) && text.utf8.allSatisfy { isWord($0) || Array("._-/:@".utf8).contains($0) }
    }
}
