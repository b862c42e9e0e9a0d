internal import LinuxKernel
internal import SoulBoxModel
internal import Synchronization

/// The built images that the instance may use: the system templates', and the users' own.
///
/// System images are published by renaming a link (`current/<id>`), so a look-up sees the old one or the new one, whole. A
/// manifest is read once for each recipe hash.
final class ImageStore: Sendable {
    /// The images of users' templates.
    let templates: TemplateStore

    private let directory: String
    private let cache = Mutex<[String: Image]>([:])

    /// The images below that directory, and those of users' templates.
    init(directory: String, templates: TemplateStore) {
        self.directory = directory
        self.templates = templates
    }

    /// The current image of a system template; nil when none is built.
    func find(_ template: String) -> Image? {
        guard ImageStore.isName(template),
            let target = try? Files.readLink("\(directory)/current/\(template)")
        else { return nil }
        return systemImage(named: String(target.split(separator: "/").last ?? ""))
    }

    /// The image that an account may make sandboxes from by that name; nil when there is none.
    func find(_ template: String, account: String) -> Image? {
        TemplateImageName(template) == nil ? find(template) : image(named: template, account: account)
    }

    /// The image in the directory of that name; nil when it is gone, or when it is a template of another account.
    func image(named name: String, account: String) -> Image? {
        guard TemplateImageName(name) != nil else { return systemImage(named: name) }
        guard let record = templates.record(named: name), record.account == account,
            let base = systemImage(named: record.base), let manifest = try? base.manifest.named(name)
        else { return nil }
        return Image(
            name: name, manifest: manifest, root: base.root, layer: templates.layer(of: name),
            variables: record.variables)
    }

    private func systemImage(named name: String) -> Image? {
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

    /// The current images of all system templates, by name.
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
