internal import LinuxKernel
public import SoulBoxModel

/// The call `io.soulbox.isolation.Execute`.
public struct ExecuteCall: Sendable {
    /// A file's bytes within the input descriptor.
    public struct File: Sendable, Equatable {
        /// Path below `/workspace`.
        public var path: String
        /// Where its bytes start.
        public var offset: Int
        /// How many there are.
        public var size: Int

        /// Makes a file.
        public init(path: String, offset: Int, size: Int) {
            self.path = path
            self.offset = offset
            self.size = size
        }
    }

    /// What of the files made may be handed out.
    public struct ArtifactLimits: Sendable, Equatable {
        /// Bytes of one file.
        public var each: Int64
        /// Bytes of all files.
        public var total: Int64
        /// How many are listed.
        public var count: Int

        /// Makes limits; the defaults are those of the API.
        public init(each: Int64 = 10 << 20, total: Int64 = 50 << 20, count: Int = 1000) {
            self.each = each
            self.total = total
            self.count = count
        }
    }

    /// The execution's identifier.
    public var execution: String
    /// The account it belongs to.
    public var account: String
    /// The request that it came with, for the log; nil when nobody waits for it.
    public var request: String?
    /// The persistent sandbox to run in; nil makes one for this execution alone.
    public var sandbox: String?
    /// The context of that sandbox to run in: then `entrypoint` names the file that holds the cell.
    public var context: String?
    /// A file or directory below `/workspace` that goes when an execution in a persistent sandbox has ended.
    public var scratch: String?
    /// The template's identifier.
    public var template: String
    /// The file to run below `/workspace`; nil is the template's program file.
    public var entrypoint: String?
    /// Arguments of the program.
    public var arguments: [String]
    /// Environment variables.
    public var environment: [ExecutionSpec.Variable]
    /// What it may use.
    public var limits: ExecutionLimits
    /// What a sandbox that is made for this execution may reach; a persistent one has its own.
    public var network: SandboxNetwork
    /// Files for `/workspace`.
    public var files: [File]
    /// What of the files made may be handed out.
    public var artifactLimits: ArtifactLimits
    /// A sealed memfd that holds the bytes of all files.
    public var input: CInt?
    /// Standard input; nil is an empty one.
    public var stdin: CInt?
    /// Standard output: the write end of a pipe.
    public var stdout: CInt
    /// Standard error: the write end of a pipe.
    public var stderr: CInt
    /// Where the compiler writes: the write end of a pipe.
    public var compileOutput: CInt?

    /// The terminal that the program has in place of pipes; nil gives it pipes.
    public var terminal: TerminalSize?
    /// What to run in place of the template's program: for a persistent sandbox alone. Empty runs that program.
    public var command: [String]

    /// Makes a call.
    public init(
        execution: String, account: String, request: String? = nil, sandbox: String? = nil, context: String? = nil,
        scratch: String? = nil, template: String, entrypoint: String? = nil,
        arguments: [String] = [],
        environment: [ExecutionSpec.Variable] = [], limits: ExecutionLimits = .init(),
        network: SandboxNetwork = .none, files: [File] = [],
        artifactLimits: ArtifactLimits = .init(), input: CInt? = nil, stdin: CInt? = nil, stdout: CInt, stderr: CInt,
        compileOutput: CInt? = nil, terminal: TerminalSize? = nil, command: [String] = []
    ) {
        self.execution = execution
        self.account = account
        self.request = request
        self.sandbox = sandbox
        self.context = context
        self.scratch = scratch
        self.template = template
        self.entrypoint = entrypoint
        self.arguments = arguments
        self.environment = environment
        self.limits = limits
        self.network = network
        self.files = files
        self.artifactLimits = artifactLimits
        self.input = input
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr
        self.compileOutput = compileOutput
        self.terminal = terminal
        self.command = command
    }

    /// The descriptors in the order in which `parameters` numbers them.
    public var descriptors: [CInt] { [input, stdin, stdout, stderr, compileOutput].compactMap { $0 } }

    /// The call's parameters.
    public var parameters: JSONValue {
        var next: Int64 = 0
        func index(_ descriptor: CInt?) -> JSONValue? {
            guard descriptor != nil else { return nil }
            defer { next += 1 }
            return .integer(next)
        }
        var object = JSONObject([
            ("execution", .string(execution)), ("account", .string(account)), ("template", .string(template)),
            ("arguments", .array(arguments.map(JSONValue.string))),
            ("environment", .array(environment.map { ["name": .string($0.name), "value": .string($0.value)] })),
            (
                "limits",
                [
                    "timeout_ms": JSONValue(limits.timeoutMilliseconds), "memory": JSONValue(limits.memoryBytes),
                    "cpu_millicores": JSONValue(limits.cpuMillicores), "processes": JSONValue(limits.processes),
                ]
            ),
            (
                "files",
                .array(
                    files.map {
                        ["path": .string($0.path), "offset": JSONValue($0.offset), "size": JSONValue($0.size)]
                    })
            ),
            (
                "artifact_limits",
                [
                    "each": JSONValue(artifactLimits.each), "total": JSONValue(artifactLimits.total),
                    "count": JSONValue(artifactLimits.count),
                ]
            ),
        ])
        if network.enabled { object["network"] = network.json }
        object["sandbox"] = sandbox.map(JSONValue.string)
        object["context"] = context.map(JSONValue.string)
        object["scratch"] = scratch.map(JSONValue.string)
        object["request"] = request.map(JSONValue.string)
        object["entrypoint"] = entrypoint.map(JSONValue.string)
        object["terminal"] = terminal.map { ["rows": JSONValue(Int($0.rows)), "columns": JSONValue(Int($0.columns))] }
        if !command.isEmpty { object["command"] = .array(command.map(JSONValue.string)) }
        object["input"] = index(input)
        object["stdin"] = index(stdin)
        object["stdout"] = index(stdout)
        object["stderr"] = index(stderr)
        object["compile_output"] = index(compileOutput)
        return .object(object)
    }
}
