/// What of a process CRIU could not hold, in words for the sandbox's owner: no path, no pid, nothing of the host.
enum CriuRefusal {
    /// The source file that an error comes from tells what it was about.
    private static let sources: [(source: String, reason: String)] = [
        ("sk-unix", "a socket of one of its processes is connected to the outside"),
        ("sk-inet", "a network connection of one of its processes cannot be held"),
        ("sk-tcp", "a network connection of one of its processes cannot be held"),
        ("sk-netlink", "a netlink socket of one of its processes is in use"),
        ("sk-packet", "one of its processes reads raw packets"),
        ("sockets", "a socket of one of its processes cannot be held"),
        ("tty", "a terminal of one of its processes cannot be held"),
        ("fsnotify", "a file that one of its processes watches cannot be found again"),
        ("irmap", "a file that one of its processes watches cannot be found again"),
        ("aio", "one of its processes has asynchronous input or output under way"),
        ("seccomp", "a filter of one of its processes cannot be held"),
        ("namespaces", "one of its processes is in a namespace of its own"),
        ("file-lock", "a file lock of one of its processes cannot be held"),
        ("files-reg", "a file that one of its processes has open cannot be held"),
        ("files-ext", "one of its processes has something open that cannot be held"),
        ("files.c", "one of its processes has something open that cannot be held"),
        ("proc_parse", "a mapping of one of its processes cannot be held"),
        ("parasite", "one of its processes cannot be stopped where it is"),
        ("infect", "one of its processes cannot be stopped where it is"),
        ("seize", "its processes cannot be stopped"),
        ("mount", "what it has mounted cannot be held"),
        ("cgroup", "its groups cannot be held"),
    ]

    /// The reason that the first error tells of.
    static func reason(_ errors: [String]) -> String {
        for error in errors {
            for (source, reason) in sources where error.contains("(criu/\(source)") || error.contains("/\(source).c:") {
                return reason
            }
        }
        return "its processes cannot be held"
    }
}
