/// The names of signals, as signal(7) spells them (x86-64 and arm64).
public enum SignalName {
    private static let names = [
        "", "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL", "SIGUSR1",
        "SIGSEGV", "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM", "SIGSTKFLT", "SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP",
        "SIGTTIN", "SIGTTOU", "SIGURG", "SIGXCPU", "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO", "SIGPWR",
        "SIGSYS",
    ]

    /// The name of a signal; a real-time one is named by its number.
    public static func of(_ number: Int32) -> String {
        let index = Int(number)
        return index > 0 && index < names.count ? names[index] : "SIG\(number)"
    }

    /// The number of a signal of that name, with or without `SIG`; nil when there is none.
    public static func number(of name: String) -> Int32? {
        let upper = name.uppercased()
        let full = upper.hasPrefix("SIG") ? upper : "SIG" + upper
        return names.dropFirst().firstIndex(of: full).map(Int32.init)
    }
}
