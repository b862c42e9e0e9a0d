internal import Glibc
internal import SoulBoxModel

/// The bounds of a request to execute, as `GET /languages` tells them.
struct ExecuteLimits: Sendable, Equatable {
    /// Seconds.
    let timeout: ClosedRange<Int64> = 1...300
    /// Bytes.
    let memory: ClosedRange<Int64> = 16 << 20...4 << 30
    /// Thousandths of a core, up to all cores of this machine.
    let cpu: ClosedRange<Int>
    /// Bytes of `code`.
    let code = 1 << 20
    /// How many files.
    let files = 100
    /// Bytes of all files together.
    let fileBytes = 10 << 20
    /// Bytes of `stdin`.
    let stdin = 10 << 20
    /// How many arguments, and how many environment variables.
    let strings = 1000
    /// Bytes of one argument or variable: less than the kernel's MAX_ARG_STRLEN (execve(2)).
    let stringBytes = 64 << 10
    /// Bytes of arguments, variables and file names together, as JSON: they travel in one message of 256 KiB.
    let messageBytes = 192 << 10
    /// Bytes of the whole body: every limit above reached, with room for JSON's and base64's overhead.
    let body = 32 << 20

    /// The bounds on a machine with that many cores.
    init(cores: Int = sysconf(Int32(_SC_NPROCESSORS_ONLN))) { cpu = 100...max(1, cores) * 1000 }
}
