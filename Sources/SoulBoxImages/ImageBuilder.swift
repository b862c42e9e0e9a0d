internal import Glibc
internal import LinuxKernel
internal import SoulBoxModel
internal import Synchronization

/// Builds images from recipes into a catalogue, each recipe once.
public struct ImageBuilder: Sendable {
    private let catalogue: ImageCatalogue
    private let mirror: AptMirror
    private let progress: @Sendable (String) -> Void

    /// A builder into `catalogue` with packages of `mirror`; `progress` is given a line for the terminal at each step,
    /// from any thread.
    public init(catalogue: ImageCatalogue, mirror: AptMirror, progress: @escaping @Sendable (String) -> Void) {
        self.catalogue = catalogue
        self.mirror = mirror
        self.progress = progress
    }

    /// The recipes of a directory by name: those named, or all.
    public static func recipes(in directory: String, ids: [String]) throws(ImageError) -> [ImageRecipe] {
        var names = ids
        if ids.isEmpty || ids == ["all"] {
            let all = (try? Files.list(directory)) ?? []
            names = all.filter { Files.exists("\(directory)/\($0)/recipe.yml") }.sorted()
        }
        guard !names.isEmpty else {
            throw ImageError("there is no recipe in \(directory)", advice: "Name the directory with --recipes.")
        }
        var recipes: [ImageRecipe] = []
        for name in names {
            guard ImageRecipe.isName(name) else { throw ImageError("\(name) is no image's name") }
            recipes.append(try ImageRecipe(directory: "\(directory)/\(name)"))
        }
        return recipes
    }

    /// Builds what is not there yet, several at a time, and makes each the current image of its template.
    ///
    /// One that fails does not stop the others; the first failure is thrown when all have ended.
    public func build(_ recipes: [ImageRecipe], rebuild: Bool = false, jobs: Int) throws(ImageError) {
        guard geteuid() == 0 else {
            throw ImageError("images are built by root only", advice: "Run the command as root.")
        }
        umask(0o022)
        try catalogue.prepare()
        try ImageLock.hold(catalogue.directory, waiting: { progress("waiting for another build to end") }) {
            () throws(ImageError) in
            try buildHeld(recipes, rebuild: rebuild, jobs: jobs)
        }
    }

    private func buildHeld(_ recipes: [ImageRecipe], rebuild: Bool, jobs: Int) throws(ImageError) {
        try catalogue.removeLeftovers()
        let failure = Mutex<ImageError?>(nil)
        ParallelWork.run(recipes, jobs: jobs) { recipe in
            do throws(ImageError) {
                try build(recipe, rebuild: rebuild)
            } catch {
                progress("image \(recipe.id): failed")
                failure.withLock { $0 = $0 ?? error }
            }
        }
        if let failure = failure.withLock({ $0 }) { throw failure }
    }

    private func build(_ recipe: ImageRecipe, rebuild: Bool) throws(ImageError) {
        let started = MonotonicClock.now
        func seconds() -> Int { Int((MonotonicClock.now - started) / 1_000_000_000) }
        let name = ImageCatalogue.buildName(id: recipe.id, hash: recipe.hash)
        do {
            if !rebuild, catalogue.manifest(of: name)?.recipeHash == recipe.hash {
                if catalogue.current(recipe.id) != name { try catalogue.makeCurrent(name, of: recipe.id) }
                progress("image \(recipe.id): present (\(name))")
                return
            }
            let temporary = "\(catalogue.directory)/\(ImageCatalogue.temporaryPrefix)\(name)"
            do {
                try Files.createDirectory(temporary, mode: 0o755, at: Files.workingDirectory)
                try install(recipe, into: temporary) { progress("image \(recipe.id): \($0) (\(seconds()) s)") }
                try catalogue.publish(temporary, as: name)
                try catalogue.makeCurrent(name, of: recipe.id)
            } catch {
                try? Files.removeTree(temporary)
                throw error
            }
        } catch let error as ImageError {
            throw error
        } catch {
            throw ImageError("image \(recipe.id): \(error)", advice: "Check that the disk has room.")
        }
        progress("image \(recipe.id): built in \(seconds()) s (\(name))")
    }

    private func install(_ recipe: ImageRecipe, into directory: String, step: (String) -> Void) throws(ImageError) {
        let root = "\(directory)/rootfs"
        try Installation(recipe: recipe, mirror: mirror).run(into: root, step: step)
        step("normalising files")
        try RootFilesystem(path: root).finish()
        let manifest = try ImageManifestDocument.make(
            recipe, installed: try InstalledPackages(root: root), builtAt: Timestamp.now)
        do {
            try Files.writeAtomically("\(directory)/manifest.json", manifest.bytes + [UInt8(ascii: "\n")], mode: 0o644)
        } catch {
            throw ImageError("\(directory)/manifest.json: \(error)")
        }
    }
}
