import Testing

@testable import SoulBoxImages

@Suite struct AptMirrorTests {
    @Test("reads one-line sources")
    func readsLines() {
        let text = """
            # deb http://old.invalid/debian bookworm main
            deb http://mirror.invalid/debian/ bookworm main contrib # a comment
            deb-src http://mirror.invalid/debian bookworm main
            deb [arch=amd64 signed-by=/usr/share/keyrings/a.gpg] https://third.invalid/apt stable main
            deb cdrom:[Debian]/ bookworm main
            """
        #expect(
            AptSource.parse(list: text) == [
                AptSource(uri: "http://mirror.invalid/debian", suite: "bookworm", components: ["main", "contrib"]),
                AptSource(uri: "https://third.invalid/apt", suite: "stable", components: ["main"]),
            ])
    }

    @Test("reads deb822 sources, with continued fields, comments and disabled stanzas")
    func readsStanzas() {
        let text = """
            Types: deb deb-src
            # Suites: sid
            URIs: http://mirror.invalid/debian
            Suites: bookworm
             bookworm-updates
            Components: main
            Signed-By:
             -----BEGIN PGP PUBLIC KEY BLOCK-----
             .
             -----END PGP PUBLIC KEY BLOCK-----

            Types: deb
            Enabled: no
            URIs: http://off.invalid/debian
            Suites: bookworm
            Components: main
            """
        #expect(
            AptSource.parse(deb822: text) == [
                AptSource(uri: "http://mirror.invalid/debian", suite: "bookworm", components: ["main"]),
                AptSource(uri: "http://mirror.invalid/debian", suite: "bookworm-updates", components: ["main"]),
            ])
    }

    @Test("finds Debian's own archive among others")
    func findsArchive() throws {
        let apt = TemporaryDirectory()
        defer { apt.remove() }
        apt.write("sources.list", "deb https://third.invalid/php bookworm main\n")
        apt.write(
            "sources.list.d/debian.sources",
            """
            Types: deb
            URIs: http://mirror.invalid/debian
            Suites: bookworm bookworm-updates
            Components: main

            Types: deb
            URIs: http://mirror.invalid/debian-security
            Suites: bookworm-security
            Components: main
            """)
        apt.write("sources.list.d/ignored.save", "deb http://saved.invalid/debian bookworm main\n")
        let mirror = try AptMirror.host(directory: apt.path)
        #expect(
            mirror
                == AptMirror(archive: "http://mirror.invalid/debian", security: "http://mirror.invalid/debian-security")
        )
        #expect(
            mirror.lines(suite: "trixie", keyring: "/k.gpg") == [
                "deb [signed-by=/k.gpg] http://mirror.invalid/debian trixie main",
                "deb [signed-by=/k.gpg] http://mirror.invalid/debian trixie-updates main",
                "deb [signed-by=/k.gpg] http://mirror.invalid/debian-security trixie-security main",
            ])
        #expect(
            try AptMirror.host(override: "http://own.invalid/debian", directory: apt.path).archive
                == "http://own.invalid/debian")
    }

    @Test("says what to do when there is none")
    func saysWhatToDo() {
        let apt = TemporaryDirectory()
        defer { apt.remove() }
        apt.write("sources.list", "deb https://third.invalid/apt stable main\n")
        do throws(ImageError) {
            _ = try AptMirror.host(directory: apt.path)
            Issue.record("an archive was found")
        } catch {
            #expect(error.advice.contains("--mirror"))
        }
    }
}
