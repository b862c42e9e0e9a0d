internal import Glibc
internal import LinuxKernel

/// Runs a program of the host to its end and hands on what it says, line by line.
enum ChildProcess {
    /// The longest line; what goes on without an end is cut.
    private static let maximumLine = 65_536

    /// Runs a program with exactly this environment; its output and its errors come as lines, interleaved.
    ///
    /// It stays in the caller's process group, so that an interrupt from the terminal reaches it too. Its standard input is
    /// an open file, or empty.
    static func run(
        _ path: String, _ arguments: [String], environment: [String], input: CInt? = nil, line: (String) -> Void
    ) throws(SystemCallError) -> ExitStatus {
        let pipe = try LinuxKernel.Pipe.make()
        let process = try spawn(
            path, arguments, environment: environment, input: input, output: pipe.second.rawValue)
        let reader = pipe.closeSecond()
        var rest: [UInt8] = []
        while true {
            let chunk = try readSome(reader.rawValue)
            if chunk.isEmpty { break }
            rest += chunk
            while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                line(String(decoding: rest[..<end], as: UTF8.self))
                rest.removeSubrange(...end)
            }
            if rest.count > maximumLine { rest.removeLast(rest.count - maximumLine) }
        }
        if !rest.isEmpty { line(String(decoding: rest, as: UTF8.self)) }
        var status: CInt = 0
        try check("waitpid") { waitpid(process, &status, 0) }
        let signal = status & 0x7f
        return signal == 0 ? .exited(status >> 8 & 0xff) : .signaled(signal)
    }

    private static func spawn(
        _ path: String, _ arguments: [String], environment: [String], input: CInt?, output: CInt
    ) throws(SystemCallError) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let input {
            posix_spawn_file_actions_adddup2(&actions, input, 0)
        } else {
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        }
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, output, 2)
        // A worker thread blocks every signal, and a program would inherit that.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var argumentPointers = ([path] + arguments).map { strdup($0) } + [nil]
        var environmentPointers = environment.map { strdup($0) } + [nil]
        defer { for pointer in argumentPointers + environmentPointers { free(pointer) } }
        var process: pid_t = 0
        let result = posix_spawn(&process, path, &actions, &attributes, &argumentPointers, &environmentPointers)
        guard result == 0 else { throw SystemCallError(call: "posix_spawn", errno: result) }
        return process
    }

    private static func readSome(_ descriptor: CInt) throws(SystemCallError) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = try check("read") { read(descriptor, &buffer, 65_536) }
        return Array(buffer[..<count])
    }
}
