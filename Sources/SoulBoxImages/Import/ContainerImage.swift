internal import Crypto
internal import LinuxKernel
internal import SoulBoxModel

/// What an OCI layout's one image says of itself (image-spec: index, manifest, configuration).
struct ContainerImage: Equatable {
    /// The digest of its configuration, `sha256:` and 64 hexadecimal digits, which docker shows as the image's id.
    let id: String
    /// The processor that it is for, as Go names it.
    let architecture: String
    /// The variables that its programs have.
    let environment: [ImageRecipe.Pair]

    /// What a layout may take for one document; the tools keep to the same.
    private static let maximumDocument = 4 << 20

    /// Reads a layout with one image, which programs without rights wrote.
    init(layout: borrowing RootDirectory) throws(ImageError) {
        let index = try ContainerImage.document(layout, "index.json")
        guard let entry = index["manifests"]?.arrayValue?.first else { throw ImageError("the archive holds no image") }
        let (manifest, _) = try ContainerImage.blob(layout, entry["digest"]?.stringValue)
        let (configuration, id) = try ContainerImage.blob(layout, manifest["config"]?["digest"]?.stringValue)
        try self.init(configuration: configuration, id: id)
    }

    /// Reads a configuration.
    init(configuration: JSONValue, id: String) throws(ImageError) {
        guard let architecture = configuration["architecture"]?.stringValue,
            configuration["rootfs"]?["diff_ids"]?.arrayValue?.isEmpty == false
        else { throw ImageError("the archive holds something else than a container image: it names no layers") }
        self.id = id
        self.architecture = architecture
        environment = (configuration["config"]?["Env"]?.arrayValue ?? []).compactMap { item in
            guard let text = item.stringValue, let equals = text.firstIndex(of: "=") else { return nil }
            return ImageRecipe.Pair(name: String(text[..<equals]), value: String(text[text.index(after: equals)...]))
        }
    }

    /// The value of a variable; nil where it has none.
    func variable(_ name: String) -> String? { environment.last { $0.name == name }?.value }

    /// The architecture that this program was made for, as Go names it.
    static var hostArchitecture: String {
        #if arch(x86_64)
            "amd64"
        #elseif arch(arm64)
            "arm64"
        #else
            "unknown"
        #endif
    }

    private static func blob(
        _ layout: borrowing RootDirectory, _ digest: String?
    ) throws(ImageError) -> (document: JSONValue, digest: String) {
        let digits = digest?.hasPrefix("sha256:") == true ? digest?.dropFirst(7) : nil
        guard let digest, let digits, digits.utf8.count == 64, digits.utf8.allSatisfy(isHexadecimal) else {
            throw ImageError("the archive names a blob by something else than its SHA-256")
        }
        let path = "blobs/sha256/\(digits)"
        let bytes = try bytes(layout, path)
        guard RecipeHash.text(SHA256.hash(data: bytes)) == digits else {
            throw ImageError("\(path) of the archive is not what its digest says")
        }
        return (try parse(bytes, path), digest)
    }

    private static func document(_ layout: borrowing RootDirectory, _ path: String) throws(ImageError) -> JSONValue {
        try parse(try bytes(layout, path), path)
    }

    private static func bytes(_ layout: borrowing RootDirectory, _ path: String) throws(ImageError) -> [UInt8] {
        do {
            return try layout.read(path, maximum: maximumDocument)
        } catch {
            throw ImageError("\(path) of the archive: \(error)")
        }
    }

    private static func parse(_ bytes: [UInt8], _ path: String) throws(ImageError) -> JSONValue {
        do {
            return try JSONParser.parse(bytes)
        } catch {
            throw ImageError("\(path) of the archive: \(error)")
        }
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }
}
