import Testing

@testable import SoulBoxImages

@Suite struct RecipeHashTests {
    private func directory() -> TemporaryDirectory {
        let directory = TemporaryDirectory()
        directory.write("recipe.yml", "id: x\n")
        directory.write("customize.sh", "#!/bin/sh\n", mode: 0o755)
        directory.write("files/etc/motd", "hello\n")
        return directory
    }

    @Test("is 64 digits and the same for the same files")
    func isStable() throws {
        let hash = try RecipeHash.make(of: directory().path)
        #expect(hash.count == 64)
        #expect(try RecipeHash.make(of: directory().path) == hash)
    }

    @Test("changes with a byte, a name, a new file and the executable bit")
    func changes() throws {
        let hash = try RecipeHash.make(of: directory().path)
        let changes: [(TemporaryDirectory) -> Void] = [
            { $0.write("files/etc/motd", "hellp\n") },
            { $0.write("files/etc/motd2", "") },
            { $0.write("customize.sh", "#!/bin/sh\n", mode: 0o644) },
        ]
        var hashes: Set<String> = [hash]
        for change in changes {
            let changed = directory()
            change(changed)
            hashes.insert(try RecipeHash.make(of: changed.path))
        }
        #expect(hashes.count == 4)
    }

    @Test("does not depend on the umask of the checkout")
    func ignoresUmask() throws {
        let hash = try RecipeHash.make(of: directory().path)
        let shared = directory()
        shared.write("files/etc/motd", "hello\n", mode: 0o664)
        #expect(try RecipeHash.make(of: shared.path) == hash)
    }
}
