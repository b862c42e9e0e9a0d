/// What to execute, validated and immutable.
public struct ExecutionSpec: Sendable, Equatable {
    /// Name and value of an environment variable.
    public struct Variable: Sendable, Hashable {
        /// The name.
        public var name: String
        /// The value.
        public var value: String

        /// Makes a variable.
        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// The persistent sandbox to run in, as `sb_…`; nil makes one for this execution alone.
    public var sandbox: String?

    /// The context of that sandbox to run in, as `ctx_…`.
    public var context: String?

    /// The language.
    public var runtime: Runtime

    /// The template's identifier, as `basic-python`.
    public var template: String

    /// The file to run among `files`; nil runs `code`.
    public var entrypoint: String?

    /// The program's text; nil when `entrypoint` names a file instead.
    public var code: String?

    /// Files placed in `/workspace` before the start.
    public var files: [InputFile]

    /// Arguments of the program.
    public var arguments: [String]

    /// Environment variables beside the template's own.
    public var environment: [Variable]

    /// Text on standard input; nil is an empty one.
    public var stdin: String?

    /// What it may use.
    public var limits: ExecutionLimits

    /// Whether a sandbox made for it reaches everything public; a persistent one has its own network or none.
    public var networkAccess: Bool

    /// Makes a spec.
    public init(
        sandbox: String? = nil, context: String? = nil, runtime: Runtime, template: String, entrypoint: String? = nil,
        code: String? = nil,
        files: [InputFile] = [],
        arguments: [String] = [], environment: [Variable] = [], stdin: String? = nil, limits: ExecutionLimits = .init(),
        networkAccess: Bool = false
    ) {
        self.sandbox = sandbox
        self.context = context
        self.runtime = runtime
        self.template = template
        self.entrypoint = entrypoint
        self.code = code
        self.files = files
        self.arguments = arguments
        self.environment = environment
        self.stdin = stdin
        self.limits = limits
        self.networkAccess = networkAccess
    }
}
