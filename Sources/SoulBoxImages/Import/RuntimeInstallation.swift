internal import Glibc
internal import LinuxKernel
internal import SoulBoxModel

/// Where a language is in a root that somebody else made, and which version of it.
struct RuntimeInstallation {
    /// The interpreter or compiler, as a path within the root.
    let program: String
    /// Its version, as `3.11.2`.
    let version: String

    /// The words of the version before the dots, as numbers.
    var versionNumbers: [Int] { version.split(separator: ".").compactMap { Int($0) } }

    /// Searched after the image's own PATH.
    private static let directories = ["/usr/local/bin", "/usr/bin", "/bin"]

    /// Looks for a runtime, and asks it for its version where the image does not say it; `directory` is one of ours.
    static func find(
        _ runtime: Runtime, image: ContainerImage, rootPath: String, directory: String, limits: Confinement.Limits
    ) throws(ImageError) -> RuntimeInstallation {
        let root: RootDirectory
        do {
            root = try RootDirectory(rootPath)
        } catch {
            throw ImageError("\(rootPath): \(error)")
        }
        let places = try search(runtime, image: image, root: root)
        let variable = image.variable(runtime.versionVariable).flatMap(number)
        if let variable { return RuntimeInstallation(program: places, version: variable) }
        var lines: [String] = []
        let status: ExitStatus
        do {
            let confinement = try Confinement(image: rootPath, in: directory, limits: limits)
            status = try confinement.run(
                places, runtime.versionArguments, environment: environment(image), processes: true
            ) { if lines.count < 20 { lines.append($0) } }
        } catch {
            throw ImageError("\(places): \(error)")
        }
        guard status == .exited(0), let version = lines.lazy.compactMap(number).first else {
            throw ImageError(
                "\(places) of the image does not start; it said:\n\(lines.joined(separator: "\n"))",
                advice:
                    "Try it where the image comes from: \(places) \(runtime.versionArguments.joined(separator: " "))")
        }
        return RuntimeInstallation(program: places, version: version)
    }

    private static func search(
        _ runtime: Runtime, image: ContainerImage, root: borrowing RootDirectory
    ) throws(ImageError) -> String {
        var directories = (image.variable("PATH") ?? "").split(separator: ":").map(String.init)
            .filter { $0.hasPrefix("/") && ImportedEnvironment.isValue($0) }
        // Where rustup is, `rustc` is a program that looks for the compiler each time, and may want to write.
        if runtime == .rust, let home = image.variable("RUSTUP_HOME") {
            let toolchains = root.list("\(home)/toolchains").sorted()
            directories.insert(contentsOf: toolchains.map { "\(home)/toolchains/\($0)/bin" }, at: 0)
        }
        directories += RuntimeInstallation.directories + runtime.usualDirectories
        func locate(_ names: [String]) -> String? {
            for directory in directories {
                for name in names where isProgram("\(directory)/\(name)", root) { return "\(directory)/\(name)" }
            }
            return nil
        }
        guard let found = locate(runtime.programNames) else {
            throw ImageError(
                "the image has no \(runtime.programNames.joined(separator: " or ")) in \(directories.joined(separator: ":"))",
                advice: "Name the language that it is for with --runtime, or take an image that has it.")
        }
        for needed in runtime.companions where locate(needed.names) == nil {
            throw ImageError("the image has \(found), but no \(needed.names[0]): \(needed.reason)")
        }
        return found
    }

    /// Whether there is a file that everybody may execute, links followed within the root.
    private static func isProgram(_ path: String, _ root: borrowing RootDirectory) -> Bool {
        guard let status = root.status(path) else { return false }
        return status.isRegular && status.mode & 0o111 != 0
    }

    /// The first number with dots of a text: of `jdk-21.0.5+11` it is `21.0.5`.
    static func number(_ text: String) -> String? {
        guard let start = text.firstIndex(where: { $0.isASCII && $0.isNumber }) else { return nil }
        var number = text[start...].prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        while number.last == "." { number.removeLast() }
        return number.isEmpty || number.utf8.count > 32 ? nil : String(number)
    }

    private static func environment(_ image: ContainerImage) -> [String] {
        let kept = ImportedEnvironment.make(image.environment, runtime: [], operator: [])
        return kept.map { "\($0.name)=\($0.value)" } + ["HOME=/tmp", "TMPDIR=/tmp"]
    }
}

/// How a language is recognised in somebody else's image.
extension Runtime {
    fileprivate var programNames: [String] {
        switch self {
        case .python: ["python3", "python"]
        case .nodejs: ["node", "nodejs"]
        case .rust: ["rustc"]
        case .go: ["go"]
        case .java: ["java"]
        }
    }

    fileprivate var companions: [(names: [String], reason: String)] {
        switch self {
        case .python, .nodejs, .go: []
        case .rust: [(["cc", "gcc", "clang"], "rustc links programs with it")]
        case .java: [(["javac"], "a JDK is wanted, not a JRE")]
        }
    }

    fileprivate var usualDirectories: [String] {
        switch self {
        case .python, .nodejs: []
        case .rust: ["/usr/local/cargo/bin"]
        case .go: ["/usr/local/go/bin", "/usr/lib/go/bin"]
        case .java: ["/opt/java/openjdk/bin", "/usr/local/openjdk/bin", "/usr/lib/jvm/default-java/bin"]
        }
    }

    /// The variable in which official images say the version.
    fileprivate var versionVariable: String {
        switch self {
        case .python: "PYTHON_VERSION"
        case .nodejs: "NODE_VERSION"
        case .rust: "RUST_VERSION"
        case .go: "GOLANG_VERSION"
        case .java: "JAVA_VERSION"
        }
    }

    fileprivate var versionArguments: [String] {
        switch self {
        case .python, .nodejs, .rust: ["--version"]
        case .go: ["version"]
        case .java: ["-version"]
        }
    }
}
