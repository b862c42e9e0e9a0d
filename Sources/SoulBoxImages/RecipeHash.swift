internal import Crypto
internal import LinuxKernel

/// The hash that names what a recipe builds: equal hashes, equal instructions.
enum RecipeHash {
    /// Counted up whenever the builder makes something else of the same recipe.
    static let builderVersion = 2

    /// Counted up whenever an import makes something else of the same image.
    static let importVersion = 1

    /// SHA-256 over every file below a recipe's directory: path, executable or not, size and bytes.
    ///
    /// Of the mode only the executable bit counts, as in git: the others depend on the umask of whoever checked it out.
    static func make(of directory: String) throws(ImageError) -> String {
        var hash = SHA256()
        hash.update(data: Array("soulbox image \(builderVersion)\0".utf8))
        do {
            for path in try files(below: directory, prefix: "").sorted() {
                let full = "\(directory)/\(path)"
                let status = try Files.status(full)
                let bytes = try Files.read(full, maximum: 64 << 20)
                let mode = status.mode & 0o100 == 0 ? "644" : "755"
                hash.update(data: Array("\(path)\0\(mode)\0\(bytes.count)\0".utf8))
                hash.update(data: bytes)
            }
        } catch {
            throw ImageError("\(directory): \(error)")
        }
        return text(hash.finalize())
    }

    /// The hash that names an import: the image's digest, and everything that the operator and SoulBox add to it.
    static func make(importing image: String, _ parts: [[UInt8]]) -> String {
        var hash = SHA256()
        hash.update(data: Array("soulbox import \(importVersion)\0\(image)\0".utf8))
        for part in parts {
            hash.update(data: Array("\(part.count)\0".utf8))
            hash.update(data: part)
        }
        return text(hash.finalize())
    }

    /// A digest in hexadecimal digits.
    static func text(_ digest: SHA256.Digest) -> String {
        let digits = Array("0123456789abcdef")
        return digest.reduce(into: "") { text, byte in
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
    }

    private static func files(below directory: String, prefix: String) throws(SystemCallError) -> [String] {
        var paths: [String] = []
        for name in try Files.list(directory) {
            if try Files.status("\(directory)/\(name)").isDirectory {
                paths += try files(below: "\(directory)/\(name)", prefix: "\(prefix)\(name)/")
            } else {
                paths.append(prefix + name)
            }
        }
        return paths
    }
}
