internal import CLinux
internal import Glibc

/// Starting a service process: a program with a user, streams and an environment of its own, and nothing inherited.
public struct Spawn: Sendable {
    /// The program's file.
    public var path: String
    /// Its arguments, without its own name.
    public var arguments: [String]
    /// Its whole environment.
    public var environment: [(name: String, value: String)]
    /// Its working directory.
    public var directory: String
    /// Its standard input; nil is an empty one. A FastCGI worker finds its listening socket here.
    public var input: CInt?
    /// Its standard output and error; nil throws them away.
    public var log: CInt?
    /// The user that it runs as.
    public var user: UInt32
    /// The group that it runs as.
    public var group: UInt32
    /// Sent to it when the thread that started it ends; 0 for none.
    public var parentDeathSignal: CInt

    /// Makes a description of a process.
    public init(
        path: String, arguments: [String], environment: [(name: String, value: String)] = [], directory: String = "/",
        input: CInt? = nil, log: CInt? = nil, user: UInt32 = 0, group: UInt32 = 0, parentDeathSignal: CInt = 0
    ) {
        self.path = path
        self.arguments = arguments
        self.environment = environment
        self.directory = directory
        self.input = input
        self.log = log
        self.user = user
        self.group = group
        self.parentDeathSignal = parentDeathSignal
    }

    /// A process that was started.
    public struct Started: ~Copyable {
        /// Its pid.
        public let pid: Int32
        var process: ProcessDescriptor

        /// Gives its pidfd to the caller.
        public consuming func takeProcess() -> ProcessDescriptor { process }
    }

    /// Starts it. A failure up to and including exec is an error here.
    public func start() throws(SystemCallError) -> Started {
        var pidfd: CInt = -1
        let pid = Spawn.withPointers([path] + arguments) { arguments in
            Spawn.withPointers(environment.map { "\($0.name)=\($0.value)" }) { environment in
                path.withCString { path in
                    directory.withCString { directory in
                        var spec = soulbox_spawn_spec(
                            path: path, arguments: arguments, environment: environment, directory: directory,
                            streams: (input ?? -1, log ?? -1, log ?? -1), user: user, group: group,
                            parent_death_signal: parentDeathSignal)
                        return soulbox_spawn(&spec, &pidfd)
                    }
                }
            }
        }
        guard pid > 0 else { throw SystemCallError(call: "spawn", errno: -pid) }
        return Started(pid: pid, process: ProcessDescriptor(owning: Descriptor(owning: pidfd)))
    }

    /// The strings as exec takes them.
    static func withPointers<Result>(
        _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        let pointers = strings.map { strdup($0) } + [nil]
        defer { pointers.forEach { free($0) } }
        return pointers.withUnsafeBufferPointer { buffer in
            // An array with its terminator has at least one element.
            guard let base = buffer.baseAddress else { fatalError("an array without elements") }
            return body(base)
        }
    }
}
