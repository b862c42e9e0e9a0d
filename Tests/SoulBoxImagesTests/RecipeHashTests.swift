import Testing

@testable import SoulBoxImages

@Suite struct RecipeHashTests {
    /// The hash of a small recipe after a change to its files.
    private func hash(after change: (TemporaryDirectory) -> Void = { _ in }) throws -> String {
        let directory = TemporaryDirectory()
        defer { directory.remove() }
        directory.write("recipe.yml", "id: x\n")
        directory.write("customize.sh", "#!/bin/sh\n", mode: 0o755)
        directory.write("files/etc/motd", "hello\n")
        change(directory)
        return try RecipeHash.make(of: directory.path)
    }

    @Test("is 64 digits and the same for the same files")
    func isStable() throws {
        #expect(try hash().count == 64)
        #expect(try hash() == hash())
    }

    @Test("changes with a byte, a new file and the executable bit")
    func changes() throws {
        let hashes: Set<String> = [
            try hash(),
            try hash { $0.write("files/etc/motd", "hellp\n") },
            try hash { $0.write("files/etc/motd2", "") },
            try hash { $0.write("customize.sh", "#!/bin/sh\n", mode: 0o644) },
        ]
        #expect(hashes.count == 4)
    }

    @Test("does not depend on the umask of the checkout")
    func ignoresUmask() throws {
        #expect(try hash { $0.write("files/etc/motd", "hello\n", mode: 0o664) } == hash())
    }
}
