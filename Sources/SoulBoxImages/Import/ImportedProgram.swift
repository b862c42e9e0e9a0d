internal import LinuxKernel
internal import SoulBoxModel

/// How programs of an imported image are compiled and started: what the shipped recipes do, with the image's own tools.
struct ImportedProgram {
    let file: String
    let compile: ImageRecipe.Compile?
    let run: ImageRecipe.Command
    let context: ImageRecipe.Command?
    /// Variables of the language's that every program gets.
    let environment: [ImageRecipe.Pair]
    let minimumMemoryBytes: Int64
    /// The file of a recipe's that is copied into the image; nil where none is.
    let support: SupportFile?

    /// A file that comes with SoulBox and is part of an image.
    struct SupportFile {
        /// The path within the image.
        let path: String
        let bytes: [UInt8]
    }

    /// Where recipes put files of SoulBox's own.
    private static let library = "usr/lib/soulbox"

    /// The commands for what was found in an image.
    init(_ runtime: Runtime, _ found: RuntimeInstallation, support: SupportFile?) throws(ImageError) {
        let program = found.program
        self.support = support
        switch runtime {
        case .python:
            file = "main.py"
            compile = nil
            let common = [("PYTHONDONTWRITEBYTECODE", "1"), ("OPENBLAS_NUM_THREADS", "{cpus}")]
            run = ImportedProgram.command([program, "{entrypoint}"], [("PYTHONUNBUFFERED", "1")] + common)
            context = support.map {
                ImportedProgram.command(
                    [program, "-u", "/\($0.path)"],
                    common + [("MPLBACKEND", "Agg"), ("MPLCONFIGDIR", "/tmp/.matplotlib")])
            }
            environment = [.init(name: "PYTHONPATH", value: "/workspace")]
            minimumMemoryBytes = 16 << 20
        case .nodejs:
            file = "main.js"
            compile = nil
            let heap = "--max-old-space-size={memory_mib:75}"
            let modules = ImportedProgram.detectsModules(found.versionNumbers) ? ["--experimental-detect-module"] : []
            run = ImportedProgram.command([program, heap] + modules + ["{entrypoint}"], [])
            context = support.map {
                ImportedProgram.command([program, heap, "--experimental-repl-await", "/\($0.path)"], [])
            }
            environment = [.init(name: "NODE_PATH", value: "/workspace")]
            minimumMemoryBytes = 48 << 20
        case .rust:
            file = "main.rs"
            compile = ImportedProgram.compile([
                program, "--edition=2021", "--crate-name=program", "--out-dir={build}", "-Clink-arg=-Wl,--strip-debug",
                "{entrypoint}",
            ])
            run = ImportedProgram.command(["{build}/program"], [])
            context = nil
            environment = []
            minimumMemoryBytes = 16 << 20
        case .go:
            file = "main.go"
            compile = ImportedProgram.compile(
                [program, "build", "-ldflags=-s -w", "-o", "{build}/program", "{entrypoint}"],
                [
                    ("GOCACHE", "/tmp/go-cache"), ("GOPATH", "/tmp/go"), ("GO111MODULE", "auto"),
                    ("GOFLAGS", "-mod=mod -buildvcs=false"), ("GOPROXY", "off"), ("GOSUMDB", "off"),
                    ("GOTOOLCHAIN", "local"), ("CGO_ENABLED", "0"),
                    ("XDG_CONFIG_HOME", "/tmp/go-config"), ("GOMAXPROCS", "{cpus}"),
                    ("GOMEMLIMIT", "{memory_mib:60}MiB"),
                ])
            run = ImportedProgram.command(
                ["{build}/program"], [("GOMAXPROCS", "{cpus}"), ("GOMEMLIMIT", "{memory_mib:85}MiB")])
            context = nil
            environment = []
            minimumMemoryBytes = 16 << 20
        case .java:
            guard let support else {
                throw ImageError("the compiler driver of basic-java, which an image for Java needs, is not here")
            }
            guard let major = found.versionNumbers.first, major >= 17 else {
                throw ImageError("the image has Java \(found.version)", advice: "Java 17 or newer is wanted.")
            }
            let memory = [
                "-XX:+UseSerialGC", "-XX:-UsePerfData", "-XX:MaxRAM={memory_bytes}", "-XX:MaxRAMPercentage=60",
                "-XX:ActiveProcessorCount={cpus}",
            ]
            file = "Main.java"
            compile = ImportedProgram.compile(
                [program, "-XX:TieredStopAtLevel=1"] + memory + ["/\(support.path)", "{entrypoint}"])
            run = ImportedProgram.command(
                [program] + memory + ["-XX:ErrorFile=/tmp/hs_err.log", "@{build}/launch"], [])
            context = nil
            environment = []
            minimumMemoryBytes = 64 << 20
        }
    }

    /// Whether this Node has to be told to read a file as a module that only parses as one: it can since 20.10 and 21.1,
    /// and does so by itself since 22.7.
    private static func detectsModules(_ version: [Int]) -> Bool {
        guard version.count >= 2 else { return false }
        return (20...22).contains(version[0]) && (version[0], version[1]) >= (20, 10) && version[0...1] != [21, 0]
    }

    private static func command(_ arguments: [String], _ environment: [(String, String)]) -> ImageRecipe.Command {
        .init(arguments: arguments, environment: environment.map { .init(name: $0.0, value: $0.1) })
    }

    /// A compile stage; longer than that of the recipes, because nothing in the image was compiled ahead.
    private static func compile(
        _ arguments: [String], _ environment: [(String, String)] = []
    ) -> ImageRecipe.Compile {
        ImageRecipe.Compile(
            command: command(arguments, environment + [("SOULBOX_BUILD", "{build}")]), memoryBytes: 1 << 30,
            timeoutSeconds: 120, diskBytes: 1 << 30)
    }

    /// The file that a language needs, of the recipes in a directory; nil where it needs none.
    static func support(_ runtime: Runtime, recipes: String) throws(ImageError) -> SupportFile? {
        let name: String
        switch runtime {
        case .python: name = "context.py"
        case .nodejs: name = "context.js"
        case .java: name = "Compile.java"
        case .rust, .go: return nil
        }
        let source = "\(recipes)/\(runtime.defaultTemplate)/files/\(library)/\(name)"
        do {
            return SupportFile(path: "\(library)/\(name)", bytes: try Files.read(source))
        } catch {
            throw ImageError(
                "\(source): \(error)", advice: "Name the directory of the recipes that SoulBox ships with --recipes.")
        }
    }
}
