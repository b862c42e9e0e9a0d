import Glibc
import SoulBoxModel
import Testing

@testable import SoulBoxImages

@Suite struct ImageCatalogueTests {
    private func addBuild(_ digit: Character, to directory: TemporaryDirectory) throws -> String {
        let hash = String(repeating: digit, count: 64)
        let recipe = try ImageRecipe(
            text: ImageRecipeTests.text, id: "basic-example", directory: "/recipes/basic-example", hash: hash,
            path: "recipe.yml")
        let installed = InstalledPackages(
            status: "Package: rustc\nVersion: 1.85.1-1\n\nPackage: librust-serde-dev\nVersion: 1.0-1\n")
        let manifest = try ImageManifestDocument.make(recipe, installed: installed, builtAt: Timestamp(microseconds: 0))
        let name = ImageCatalogue.buildName(id: recipe.id, hash: hash)
        directory.write(".building-\(name)/manifest.json", manifest.text)
        directory.write(".building-\(name)/rootfs/etc/hostname", "sandbox\n")
        let catalogue = ImageCatalogue(directory: directory.path)
        try catalogue.publish("\(directory.path)/.building-\(name)", as: name)
        try catalogue.makeCurrent(name, of: recipe.id)
        return name
    }

    @Test("publishes, lists and switches")
    func publishes() throws {
        let directory = TemporaryDirectory()
        defer { directory.remove() }
        let catalogue = ImageCatalogue(directory: directory.path)
        #expect(try catalogue.list() == [])
        let first = try addBuild("a", to: directory)
        let second = try addBuild("b", to: directory)
        #expect(catalogue.current("basic-example") == second)
        #expect(try catalogue.list().map(\.name) == [first, second])
        #expect(try catalogue.list().map(\.isCurrent) == [false, true])
        #expect(try catalogue.list().first?.runtime == "rust 1.85.1")
        #expect(access("\(directory.path)/current/basic-example/rootfs/etc/hostname", F_OK) == 0)
    }

    @Test("replaces a build of the same name whole")
    func replaces() throws {
        let directory = TemporaryDirectory()
        defer { directory.remove() }
        let name = try addBuild("a", to: directory)
        directory.write("\(name)/rootfs/old", "")
        #expect(try addBuild("a", to: directory) == name)
        #expect(access("\(directory.path)/\(name)/rootfs/old", F_OK) != 0)
    }

    @Test("refuses to remove the build in use, unless forced")
    func removes() throws {
        let directory = TemporaryDirectory()
        defer { directory.remove() }
        let catalogue = ImageCatalogue(directory: directory.path)
        let first = try addBuild("a", to: directory)
        let second = try addBuild("b", to: directory)
        #expect(throws: ImageError.self) { try catalogue.remove(second, force: false) }
        #expect(throws: ImageError.self) { try catalogue.remove("../\(first)", force: true) }
        try catalogue.remove(first, force: false)
        try catalogue.remove(second, force: true)
        #expect(try catalogue.list() == [])
        #expect(catalogue.current("basic-example") == nil)
        #expect(access("\(directory.path)/current/basic-example", F_OK) != 0)
    }

    @Test("clears what an interrupted build left")
    func clears() throws {
        let directory = TemporaryDirectory()
        defer { directory.remove() }
        let name = try addBuild("a", to: directory)
        directory.write(".building-basic-other-1/rootfs/etc/hostname", "")
        try ImageCatalogue(directory: directory.path).removeLeftovers()
        #expect(access("\(directory.path)/.building-basic-other-1", F_OK) != 0)
        #expect(access("\(directory.path)/\(name)/manifest.json", F_OK) == 0)
    }
}
