import SoulBoxModel
import Testing

@testable import SoulBoxImages

@Suite struct ImageRecipeTests {
    static let text = """
        id: basic-example
        name: Example
        description: An example
        version: "1.0"
        runtime: rust
        aliases: [rs]
        base_image: rust:1.85
        suite: trixie
        install: [rustc, libstdc++6]
        runtime_version: rustc
        packages: {serde: librust-serde-dev}
        environment: {A: "1"}
        files:
          - name: notes.txt
            content: "one\\ntwo"
        program:
          file: main.rs
          minimum_memory: 16M
          compile:
            argv: [/usr/bin/rustc, "{entrypoint}"]
            environment: {}
            memory: 1G
            timeout: 60
            disk: 512M
          run:
            argv: [/tmp/build/program]
            environment: {THREADS: "{cpus}"}
        """

    private func parse(_ text: String, id: String = "basic-example") throws(ImageError) -> ImageRecipe {
        try ImageRecipe(
            text: text, id: id, directory: "/recipes/\(id)", hash: String(repeating: "0", count: 64), path: "recipe.yml"
        )
    }

    private func message(of text: String, id: String = "basic-example") -> String {
        do {
            _ = try parse(text, id: id)
            return ""
        } catch {
            return error.description
        }
    }

    @Test("reads every field")
    func readsAll() throws {
        let recipe = try parse(Self.text)
        #expect(recipe.id == "basic-example")
        #expect(recipe.version == "1.0")
        #expect(recipe.install == ["rustc", "libstdc++6"])
        #expect(recipe.packages == [.init(name: "serde", value: "librust-serde-dev")])
        #expect(recipe.files == [.init(name: "notes.txt", value: "one\ntwo")])
        #expect(recipe.minimumMemoryBytes == 16 << 20)
        #expect(recipe.compile?.command.arguments == ["/usr/bin/rustc", "{entrypoint}"])
        #expect(recipe.compile?.memoryBytes == 1 << 30)
        #expect(recipe.compile?.timeoutSeconds == 60)
        #expect(recipe.run.environment == [.init(name: "THREADS", value: "{cpus}")])
    }

    @Test(
        "names what is wrong",
        arguments: [
            ("suite: trixie", "siute: trixie", "unknown key \"siute\""),
            ("    memory: 1G", "    memory: 1G\n    memory_limit: 1G", "unknown key \"memory_limit\""),
            ("runtime: rust", "runtime: cobol", "unknown runtime"),
            ("install: [rustc, libstdc++6]", "install: rustc", "install: expected a list"),
            ("install: [rustc, libstdc++6]", "install: [\"rustc --force-yes\"]", "no name of a Debian package"),
            ("suite: trixie", "suite: \"trixie; rm\"", "no name of a Debian package or release"),
            ("minimum_memory: 16M", "minimum_memory: much", "no size"),
            ("timeout: 60", "timeout: 0", "expected a number from 1 to 600"),
            ("argv: [/tmp/build/program]", "argv: [program]", "absolute path"),
            ("argv: [/tmp/build/program]", "argv: []", "absolute path"),
            ("name: Example", "name: Example\nname: Again", "duplicated key"),
            ("name: Example", "", "name: expected a text"),
            ("id: basic-example", "id: ../other", "id must be the name of its directory"),
        ])
    func refuses(line: String, other: String, expected: String) {
        let changed = Self.text.split(separator: line, maxSplits: 1, omittingEmptySubsequences: false)
            .joined(separator: other)
        #expect(changed != Self.text)
        #expect(message(of: changed).contains(expected))
    }

    @Test("wants the directory's name")
    func wantsDirectoryName() { #expect(message(of: Self.text, id: "another").contains("id must be")) }

    @Test("becomes a manifest that the isolator reads")
    func becomesManifest() throws {
        let installed = InstalledPackages(
            status: """
                Package: rustc
                Status: install ok installed
                Version: 1.85.1+dfsg1-1+deb13u1

                Package: librust-serde-dev
                Version: 1:1.0.217-2
                """)
        let json = try ImageManifestDocument.make(
            try parse(Self.text), installed: installed, builtAt: Timestamp(microseconds: 1_700_000_000_000_000))
        let manifest = try ImageManifest(json: try JSONParser.parse(json.bytes))
        #expect(manifest.runtimeVersion == "1.85.1")
        #expect(manifest.packagesInstalled.map { "\($0.name) \($0.version)" } == ["serde 1.0.217"])
        #expect(manifest.compile?.diskBytes == 512 << 20)
        #expect(manifest.run.arguments == ["/tmp/build/program"])
        #expect(manifest.files.first?.content == "one\ntwo")
    }

    @Test("a package that is not installed fails the build")
    func missingPackage() {
        #expect(throws: ImageError.self) { try InstalledPackages(status: "").upstreamVersion(of: "rustc") }
    }
}
