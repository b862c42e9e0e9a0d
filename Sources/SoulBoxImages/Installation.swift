internal import Glibc
internal import LinuxKernel

/// Makes a root filesystem of Debian packages and a recipe's own files, with mmdebstrap(1).
struct Installation {
    let recipe: ImageRecipe
    let mirror: AptMirror

    /// Debian's keys, which apt checks the packages with.
    static let keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"

    /// mmdebstrap mounts /proc, /sys and the host's own /dev/shm into the new root. In a mount namespace and a process
    /// namespace of its own, all of that ends with it, and it ends with us: nothing that removes a half-made root can
    /// ever walk into the host's files.
    static let confinement = [
        "/usr/bin/setpriv", "--pdeathsig", "KILL", "/usr/bin/unshare", "--mount", "--pid", "--fork",
        "--kill-child=KILL", "--mount-proc",
    ]

    private static let path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    /// Documentation and translations, which no program reads. Of manual pages the directories stay, because some
    /// packages put links into them when they are configured.
    private static let excluded = [
        "/usr/share/doc/*", "/usr/share/man/*/*", "/usr/share/locale/*", "/usr/share/info/*", "/usr/share/lintian/*",
        "/usr/share/bug/*",
    ]

    /// Whether the age of the mirror's lists is looked at, as the host's own apt does it: a mirror of a fixed day is never
    /// fresh (apt.conf(5), Acquire::Check-Valid-Until). Signatures are checked in any case.
    static var freshness: [String] {
        var value = ""
        _ = try? ChildProcess.run(
            "/usr/bin/apt-config", ["dump", "--no-empty", "--format=%v%n", "Acquire::Check-Valid-Until"],
            environment: environment()
        ) { value += $0 }
        return value.contains("false") ? ["--aptopt=Acquire::Check-Valid-Until \"false\""] : []
    }

    /// Installs into a directory that does not exist yet; `step` hears what is being done.
    func run(into root: String, step: (String) -> Void) throws(ImageError) {
        guard let tool = ["/usr/bin/mmdebstrap", "/usr/local/bin/mmdebstrap"].first(where: Files.exists) else {
            throw ImageError("mmdebstrap is missing", advice: "Install it: apt-get install mmdebstrap")
        }
        guard Files.exists(Installation.keyring) else {
            throw ImageError(
                "\(Installation.keyring) is missing", advice: "Install it: apt-get install debian-archive-keyring")
        }
        var tail: [String] = []
        var current: String?
        let status: ExitStatus
        do {
            let command = Installation.confinement + [tool] + arguments(root: root)
            status = try ChildProcess.run(command[0], Array(command[1...]), environment: Installation.environment()) {
                line in
                tail.append(line)
                if tail.count > 40 { tail.removeFirst() }
                guard let name = Installation.stepName(of: line), name != current else { return }
                current = name
                step(name)
            }
        } catch {
            throw ImageError("\(tool): \(error)")
        }
        guard status == .exited(0) else {
            throw ImageError(
                "image \(recipe.id): mmdebstrap failed; the end of what it said:\n\(tail.joined(separator: "\n"))",
                advice:
                    "Check that \(mirror.archive) can be reached and has \(recipe.suite), and that the disk has room.")
        }
    }

    func arguments(root: String) -> [String] {
        var arguments = ["--variant=essential", "--mode=root", "--format=directory"]
        arguments += Installation.freshness
        arguments += Installation.excluded.map { "--dpkgopt=path-exclude=\($0)" }
        arguments.append("--include=\(recipe.install.joined(separator: ","))")
        let source = Installation.quoted(recipe.directory)
        if Files.exists("\(recipe.directory)/files") {
            arguments.append("--customize-hook=cp -R \(source)/files/. \"$1\"/")
        }
        if Files.exists("\(recipe.directory)/customize.sh") {
            arguments.append(
                "--customize-hook=cp \(source)/customize.sh \"$1\"/customize.sh && "
                    + "env -i \(Installation.path) HOME=/root LC_ALL=C.UTF-8 "
                    + "chroot \"$1\" /bin/sh /customize.sh")
        }
        return arguments + [recipe.suite, root] + mirror.lines(suite: recipe.suite, keyring: Installation.keyring)
    }

    /// The environment of the installation: a fixed one, and the proxies of the operator's.
    static func environment() -> [String] {
        var variables = [
            Installation.path, "HOME=/root", "LC_ALL=C.UTF-8",
            "DEBIAN_FRONTEND=noninteractive",
        ]
        for name in ["http_proxy", "https_proxy", "no_proxy"] {
            if let value = getenv(name) { variables.append("\(name)=\(String(cString: value))") }
        }
        return variables
    }

    /// What a line of mmdebstrap's announces, in few words.
    static func stepName(of line: String) -> String? {
        guard line.hasPrefix("I: ") else { return nil }
        let steps = [
            ("running apt-get update", "reading package lists"), ("downloading packages", "downloading packages"),
            ("extracting archives", "unpacking the base system"),
            ("installing essential", "installing the base system"),
            ("installing remaining", "installing packages"),
            ("running --customize-hook", "running the recipe's script"),
            ("cleaning package lists", "cleaning"),
        ]
        let text = line.dropFirst(3)
        return steps.first { text.hasPrefix($0.0) }?.1
    }

    /// A word of a shell's that stands for itself.
    static func quoted(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}
