import Testing

@testable import SoulBoxCommands

@Suite("The index of pip")
struct PipIndexTests {
    @Test(
        "is read from the section global",
        arguments: [
            ("[global]\nindex-url = https://a.example/simple\n", "https://a.example/simple"),
            ("[global]\ntimeout = 3\nindex_url: https://b.example/simple", "https://b.example/simple"),
            ("[install]\nindex-url = https://c.example/\n[global]\ncert = /x\n", nil), ("", nil),
            ("index-url = x", nil),
        ] as [(String, String?)])
    func file(text: String, index: String?) { #expect(PipIndex.global(text) == index) }

    @Test("the environment goes first, and a password is not handed on")
    func environment() {
        #expect(
            PipIndex.host(environment: ["PIP_INDEX_URL": "https://a.example/"], file: "/nonexistent")
                == "https://a.example/")
        #expect(
            PipIndex.host(environment: ["PIP_INDEX_URL": "https://u:p@a.example/"], file: "/nonexistent") == nil)
        #expect(PipIndex.host(environment: [:], file: "/nonexistent") == nil)
    }
}
