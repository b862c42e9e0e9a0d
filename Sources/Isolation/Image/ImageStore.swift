internal import LinuxKernel
internal import SoulBoxModel
internal import Synchronization

/// The built images that the instance may use.
///
/// Images are published by renaming a link (`current/<id>`), so a look-up sees the old one or the new one, whole. A
/// manifest is read once for each recipe hash.
final class ImageStore: Sendable {
    private let directory: String
    private let cache = Mutex<[String: Image]>([:])

    /// The images below that directory.
    init(directory: String) { self.directory = directory }

    /// The current image of a template; nil when none is built.
    func find(_ template: String) -> Image? {
        guard ImageStore.isName(template),
            let target = try? Files.readLink("\(directory)/current/\(template)")
        else { return nil }
        return image(named: String(target.split(separator: "/").last ?? ""))
    }

    /// The image in the directory of that name; nil when it is gone.
    func image(named name: String) -> Image? {
        guard ImageStore.isName(name) else { return nil }
        if let known = cache.withLock({ $0[name] }) { return known }
        let path = "\(directory)/\(name)"
        guard let bytes = try? Files.read("\(path)/manifest.json", maximum: 1 << 20),
            let json = try? JSONParser.parse(bytes), let manifest = try? ImageManifest(json: json)
        else { return nil }
        let image = Image(name: name, manifest: manifest, root: "\(path)/rootfs")
        cache.withLock { $0[name] = image }
        return image
    }

    /// The current images of all templates, by name.
    func all() -> [Image] {
        let names = (try? Files.list("\(directory)/current")) ?? []
        return names.sorted().compactMap(find)
    }

    /// Names come from callers and become path segments.
    private static func isName(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 128
            && text.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
            }
    }
}
