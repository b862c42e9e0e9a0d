import Foundation
import IsolationProtocol
import LinuxKernel
import Testing

extension TestSandbox {
    /// Starts a Python program in the background and waits until it has written `ready` into a file of that name.
    @discardableResult
    func startPython(_ code: String) throws -> SandboxProcess {
        let process = try connect().startProcess(
            arguments: ["python3", "-c", code], environment: [], directory: "/workspace", in: id, account: account)
        try waitForFile("ready")
        return process
    }

    /// Waits until there is a file of that name in its workspace.
    func waitForFile(_ file: String, seconds: UInt64 = 20) throws {
        let deadline = MonotonicClock.now + seconds * 1_000_000_000
        while (try? connect().stat(file, in: id, account: account)) == nil {
            try #require(MonotonicClock.now < deadline, "\(file) was not written")
            usleep(10_000)
        }
    }
}
