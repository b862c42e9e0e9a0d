import ArgumentParser
import Glibc
import LinuxKernel

/// `soulbox down`: ends everything in order.
struct DownCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "down", abstract: "End the stack in good order.")

    @OptionGroup var options: InstanceOptions

    func run() throws {
        let instance = options.instance
        guard let pid = SupervisorLock.holder(instance) else {
            print("the stack is not running")
            return
        }
        let process = try ProcessDescriptor(opening: pid)
        // The lock names its holder; asked again, the pid cannot have come to mean another process.
        guard SupervisorLock.holder(instance) == pid else { return }
        try process.signal(SIGTERM)
        let deadline = MonotonicClock.now + 120_000_000_000
        while !process.hasExited {
            guard MonotonicClock.now < deadline else {
                throw OperatorError("the stack has not ended after two minutes", advice: "See \(instance.logs).")
            }
            usleep(50_000)
        }
        print("the stack has ended")
    }
}
