internal import Glibc
internal import LinuxKernel
internal import SoulBoxModel

/// The built images of a machine, in one directory that all instances share.
///
/// `<id>-<hash>/` holds a build, `current/<id>` is a link to the one in use. Both appear by a rename, so that a reader
/// finds a whole build or none.
public struct ImageCatalogue: Sendable {
    /// The directory.
    public let directory: String

    /// Where images are kept unless the operator says otherwise.
    public static let defaultDirectory = "/var/cache/soulbox/images"

    /// How builds in the making, and builds on their way out, are named.
    static let temporaryPrefix = ".building-"

    /// The catalogue in a directory, which is made when the first image is built.
    public init(directory: String = ImageCatalogue.defaultDirectory) { self.directory = directory }

    /// All builds, by name.
    public func list() throws(ImageError) -> [BuiltImage] {
        guard Files.exists(directory) else { return [] }
        var images: [BuiltImage] = []
        do {
            for name in try Files.list(directory).sorted() where ImageRecipe.isName(name) {
                guard let manifest = manifest(of: name) else { continue }
                images.append(
                    BuiltImage(
                        id: manifest.id, name: name, isCurrent: current(manifest.id) == name,
                        runtime: "\(manifest.runtime.rawValue) \(manifest.runtimeVersion)",
                        builtAt: manifest.json["built_at"]?.stringValue ?? "",
                        imported: manifest.json["imported"]?.stringValue))
            }
        } catch {
            throw ImageError("\(directory): \(error)")
        }
        return images
    }

    /// The name of a template's build in use; nil when there is none.
    public func current(_ id: String) -> String? {
        guard let target = try? Files.readLink("\(directory)/current/\(id)"),
            let name = target.split(separator: "/").last.map(String.init), manifest(of: name) != nil
        else { return nil }
        return name
    }

    /// Removes a build; the one in use only by `force`.
    ///
    /// Sandboxes that run from it lose their files, so it is for images that no running stack uses.
    public func remove(_ name: String, force: Bool) throws(ImageError) {
        guard ImageRecipe.isName(name), Files.exists("\(directory)/\(name)") else {
            throw ImageError("there is no image \(name)", advice: "`soulbox image list` shows what there is.")
        }
        try ImageLock.hold(directory) { () throws(ImageError) in try removeHeld(name, force: force) }
    }

    private func removeHeld(_ name: String, force: Bool) throws(ImageError) {
        let id = manifest(of: name)?.id
        let isCurrent = id.map { current($0) == name } ?? false
        guard force || !isCurrent else {
            throw ImageError(
                "\(name) is the image in use", advice: "Build another first, or remove it all the same with --force.")
        }
        do {
            if isCurrent, let id { try Files.removeTree("\(directory)/current/\(id)") }
            let temporary = "\(directory)/\(ImageCatalogue.temporaryPrefix)old-\(name)"
            try Files.removeTree(temporary)
            try check("rename") { rename("\(directory)/\(name)", temporary) }
            try Files.removeTree(temporary)
        } catch {
            throw ImageError("\(directory)/\(name): \(error)")
        }
    }

    /// Makes the directory, and those above it.
    func prepare() throws(ImageError) {
        do {
            var parent = ""
            for segment in directory.split(separator: "/") {
                parent += "/\(segment)"
                if !Files.exists(parent) { try Files.makeDirectory(parent, mode: 0o755) }
            }
        } catch {
            throw ImageError("\(directory): \(error)")
        }
    }

    /// The name of the build of a recipe.
    static func buildName(id: String, hash: String) -> String { "\(id)-\(hash.prefix(16))" }

    /// The manifest of a build; nil when it is none.
    func manifest(of name: String) -> ImageManifest? {
        guard let bytes = try? Files.read("\(directory)/\(name)/manifest.json"), let json = try? JSONParser.parse(bytes)
        else { return nil }
        return try? ImageManifest(json: json)
    }

    /// Makes a build the one that new sandboxes of its template start from.
    func makeCurrent(_ name: String, of id: String) throws(SystemCallError) {
        try Files.makeDirectory("\(directory)/current", mode: 0o755)
        let link = "\(directory)/current/\(id)"
        let temporary = "\(directory)/current/.\(id).new"
        try Files.removeTree(temporary)
        try Files.makeSymbolicLink(temporary, to: "../\(name)", at: Files.workingDirectory)
        try check("rename") { rename(temporary, link) }
        try sync("\(directory)/current")
    }

    /// Moves a finished directory to its name, durably, in the place of one that is there.
    func publish(_ temporary: String, as name: String) throws(SystemCallError) {
        let target = "\(directory)/\(name)"
        let old = "\(directory)/\(ImageCatalogue.temporaryPrefix)old-\(name)"
        try Files.removeTree(old)
        // Everything below is on the disk before the name is (sync(2); Glibc's module does not name syncfs).
        Glibc.sync()
        if Files.exists(target) { try check("rename") { rename(target, old) } }
        try check("rename") { rename(temporary, target) }
        try sync(directory)
        try Files.removeTree(old)
    }

    /// Removes what an interrupted build left; only while the lock is held.
    func removeLeftovers() throws(ImageError) {
        do {
            let mounts = try Files.readString("/proc/self/mountinfo", maximum: 16 << 20)
            for name in try Files.list(directory) where name.hasPrefix(ImageCatalogue.temporaryPrefix) {
                let path = "\(directory)/\(name)"
                // What is mounted there is somebody else's, perhaps the host's own files.
                guard !mounts.contains("\(path)/") else {
                    throw ImageError("something is mounted below \(path)", advice: "Unmount it: umount --recursive")
                }
                try Files.removeTree(path)
            }
        } catch let error as ImageError {
            throw error
        } catch {
            throw ImageError("\(directory): \(error)")
        }
    }

    private func sync(_ path: String) throws(SystemCallError) {
        let opened = try Files.openDirectory(path)
        try check("fsync") { fsync(opened.rawValue) }
    }
}
