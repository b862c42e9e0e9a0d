internal import Glibc
internal import LinuxKernel
internal import SoulBoxModel

/// Turns container images into system templates.
///
/// An archive is hostile until it is unpacked: programs without rights read it, on a disk of limited size, and what they
/// leave is copied file by file.
public struct ImageImporter: Sendable {
    private let catalogue: ImageCatalogue
    private let recipes: String
    private let progress: @Sendable (String) -> Void

    /// An importer into `catalogue`; `recipes` is the directory of the recipes that SoulBox ships, and `progress` is given a
    /// line for the terminal at each step, from any thread.
    public init(catalogue: ImageCatalogue, recipes: String, progress: @escaping @Sendable (String) -> Void) {
        self.catalogue = catalogue
        self.recipes = recipes
        self.progress = progress
    }

    /// Imports one image and makes it the current one of its template.
    public func run(_ request: ImportRequest) throws(ImageError) {
        try check(request)
        let source = try ImportSource(request.archive)
        guard geteuid() == 0 else {
            throw ImageError("images are imported by root only", advice: "Run the command as root.")
        }
        try ImportTools.check()
        umask(0o022)
        try catalogue.prepare()
        try ImageLock.hold(catalogue.directory, waiting: { progress("waiting for another build to end") }) {
            () throws(ImageError) in
            try catalogue.removeLeftovers()
            try checkReplaced(request)
            let work = "\(catalogue.directory)/\(ImageCatalogue.temporaryPrefix)import-\(request.name)"
            do {
                // Root's alone: until it is finished, the tree may hold anything.
                try Files.createDirectory(work, mode: 0o700, at: Files.workingDirectory)
            } catch {
                throw ImageError("\(work): \(error)")
            }
            defer { try? Files.removeTree(work) }
            try PrivateMounts.run { () throws(ImageError) in try importHeld(request, source, work: work) }
        }
    }

    private func check(_ request: ImportRequest) throws(ImageError) {
        guard ImageRecipe.isName(request.name), request.name.utf8.count <= 47 else {
            throw ImageError(
                "\(request.name) is no image's name",
                advice: "Names are of lower-case letters, digits and hyphens, 47 at most.")
        }
        if let reference = request.reference, !ImportSource.isReference(reference) {
            throw ImageError("\(reference) is no reference of an image")
        }
        for variable in request.environment
        where !ImportedEnvironment.isName(variable.name) || !ImportedEnvironment.isValue(variable.value) {
            throw ImageError(
                "\(variable.name) cannot be a variable",
                advice: "Its name is of letters, digits and _; its value is one line without {.")
        }
        guard request.maximumBytes > 0, request.maximumBytes <= 1 << 40, request.seconds > 0 else {
            throw ImageError("a limit is out of range", advice: "--maximum-size is 1T at most.")
        }
        guard
            request.description.map({ !$0.isEmpty && $0.utf8.count <= 500 && Confinement.printable($0) == $0 }) ?? true
        else { throw ImageError("the description is one line of 500 bytes at most") }
    }

    /// What a recipe made is not replaced by accident.
    private func checkReplaced(_ request: ImportRequest) throws(ImageError) {
        if request.replace { return }
        let isShipped = Runtime.allCases.contains { $0.defaultTemplate == request.name }
        let current = catalogue.current(request.name).flatMap(catalogue.manifest)
        let isBuilt = current.map { $0.json["imported"]?.stringValue == nil } ?? false
        guard !isShipped, !isBuilt, !Files.exists("\(recipes)/\(request.name)/recipe.yml") else {
            throw ImageError(
                "\(request.name) is built from a recipe",
                advice: "Take another name, or put the import in its place with --replace.")
        }
    }

    private func importHeld(_ request: ImportRequest, _ source: ImportSource, work: String) throws(ImageError) {
        let started = MonotonicClock.now
        func step(_ text: String) {
            progress("image \(request.name): \(text) (\((MonotonicClock.now - started) / 1_000_000_000) s)")
        }
        let support = try ImportedProgram.support(request.runtime, recipes: recipes)
        var limits = Confinement.Limits()
        limits.seconds = request.seconds
        // No file of an image, and no archive of one, is larger than all of it.
        limits.fileBytes = request.maximumBytes
        let disk: ScratchDisk
        do {
            // For the archive, its layout, and the tree, each of which the limit holds for.
            disk = try ScratchDisk(in: work, bytes: 3 * request.maximumBytes + 256 << 20)
        } catch {
            throw ImageError("a disk to unpack on: \(error)", advice: "`soulbox doctor` says what this machine lacks.")
        }
        let unpacking: ImageUnpacking
        do {
            unpacking = try ImageUnpacking(request, source: source, directory: work, disk: disk.path, limits: limits)
        } catch {
            throw ImageError("the place to unpack in: \(error)")
        }
        step("reading the archive")
        let image = try unpacking.stage()
        guard image.architecture == ContainerImage.hostArchitecture else {
            throw ImageError(
                "the image is for \(Confinement.printable(image.architecture)), and this machine is "
                    + ContainerImage.hostArchitecture)
        }
        let hash = ImageImporter.hash(request, image, support)
        let name = ImageCatalogue.buildName(id: request.name, hash: hash)
        if catalogue.manifest(of: name)?.recipeHash == hash {
            do {
                if catalogue.current(request.name) != name { try catalogue.makeCurrent(name, of: request.name) }
            } catch {
                throw ImageError("\(catalogue.directory)/current: \(error)")
            }
            progress("image \(request.name): present (\(name))")
            return
        }
        let result = "\(work)/image"
        let root = "\(result)/rootfs"
        do {
            try Files.makeDirectory(result, mode: 0o755)
            try Files.makeDirectory(root, mode: 0o755)
        } catch {
            throw ImageError("\(result): \(error)")
        }
        step("unpacking layers")
        let count = try unpacking.unpack(to: root)
        step("normalising \(count.entries) files, \(ByteSize.text(count.bytes))")
        if count.leftOut > 0 { step("left out \(count.leftOut) that are neither files, directories nor links") }
        try finish(request, image, support: support, result: result, work: work, hash: hash)
        do {
            try catalogue.publish(result, as: name)
            try catalogue.makeCurrent(name, of: request.name)
        } catch {
            throw ImageError("image \(request.name): \(error)", advice: "Check that the disk has room.")
        }
        step("imported as \(name)")
        withExtendedLifetime(disk.path) {}
    }

    /// Makes the tree one for sandboxes, finds the language in it, and writes the manifest.
    private func finish(
        _ request: ImportRequest, _ image: ContainerImage, support: ImportedProgram.SupportFile?, result: String,
        work: String, hash: String
    ) throws(ImageError) {
        let path = "\(result)/rootfs"
        try RootFilesystem(path: path, isImported: true).finish()
        var limits = Confinement.Limits()
        limits.seconds = 60
        limits.fileBytes = 64 << 20
        let found = try RuntimeInstallation.find(
            request.runtime, image: image, rootPath: path, directory: work, limits: limits)
        let program = try ImportedProgram(request.runtime, found, support: support)
        var source = image.id
        if let reference = request.reference { source = reference }
        if request.archive.hasPrefix("docker://") { source = String(request.archive.dropFirst(9)) }
        let draft = ImageManifestDocument.draft(request, image: image, source: source, found: found, program: program)
        let manifest = ImageManifestDocument.finished(draft, hash: hash, builtAt: Timestamp.now)
        do {
            if let support { try RootDirectory(path).write(support.path, support.bytes, mode: 0o644) }
            try Files.writeAtomically("\(result)/manifest.json", manifest.bytes + [UInt8(ascii: "\n")], mode: 0o644)
        } catch {
            throw ImageError("\(result): \(error)")
        }
        progress("image \(request.name): \(found.program) is \(request.runtime.rawValue) \(found.version)")
    }

    /// What names the import: equal hashes, equal images.
    private static func hash(
        _ request: ImportRequest, _ image: ContainerImage, _ support: ImportedProgram.SupportFile?
    ) -> String {
        var parts: [[UInt8]] = [request.runtime.rawValue, request.description ?? "", request.reference ?? ""]
            .map { Array($0.utf8) }
        parts.append(Array("\(request.minimumMemoryBytes ?? 0)".utf8))
        parts.append(support?.bytes ?? [])
        parts += request.environment.map { Array("\($0.name)=\($0.value)".utf8) }
        return RecipeHash.make(importing: image.id, parts)
    }
}
