import IsolationProtocol
import SoulBoxModel

/// A persistent sandbox on a test's isolator.
struct TestSandbox {
    let id: String
    let isolator: TestIsolator
    var account = "acct_test"

    static let limits = SandboxLimits(
        memoryBytes: 256 << 20, cpuMillicores: 1000, processes: 128, diskBytes: 64 << 20)

    init(
        on isolator: TestIsolator = .shared, template: String = "basic-python", limits: SandboxLimits = limits,
        id: String = Identifier.make(.sandbox), network: SandboxNetwork = .none
    ) throws {
        self.id = id
        self.isolator = isolator
        _ = try connect().createSandbox(id, account: account, template: template, limits: limits, network: network)
    }

    func connect() throws -> IsolationConnection { try IsolationConnection(path: isolator.socket) }

    var state: SandboxState { get throws { try connect().inspectSandbox(id, account: account) } }

    /// Runs a Python program in it.
    func python(_ code: String, milliseconds: Int = 20_000 * Host.patience, file: String = "main.py") throws -> Run {
        try Run.run(request(code, milliseconds: milliseconds, file: file), on: isolator)
    }

    func request(_ code: String, milliseconds: Int = 20_000 * Host.patience, file: String = "main.py") -> Run.Request {
        var request = Run.Request(code)
        request.sandbox = id
        request.file = file
        request.limits.timeoutMilliseconds = milliseconds
        return request
    }

    func remove() throws { try connect().removeSandbox(id, account: account) }
}
