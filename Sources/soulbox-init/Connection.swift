import CInit

/// A connection of the isolator, and the program that was started over it.
struct Connection {
    /// The socket.
    let descriptor: Int32

    /// The program's process; 0 when none is alive.
    var child: pid_t = 0

    /// Whether the program lives on when the connection closes.
    var isBackground = false

    /// The background process whose next output is waited for, and from where; pid 0 when none is.
    var awaited: (pid: pid_t, offset: UInt64) = (0, 0)

    /// Whether the sandbox ends when the connection closes while the program lives.
    var endsSandbox = false

    /// What to wait for. While a program lives its connection is read by nobody here: its own process awaits "go" on it.
    var events: Int16 { Int16(child == 0 ? INIT_READABLE : INIT_HUNG_UP) }
}
