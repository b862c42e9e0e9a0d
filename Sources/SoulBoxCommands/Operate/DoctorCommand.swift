import ArgumentParser
import Foundation
import LinuxKernel

/// `soulbox doctor`: what this machine has of what SoulBox needs, and what follows where something is missing.
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Check the kernel, the tools and the images.")

    @OptionGroup var options: InstanceOptions

    func run() throws {
        var missing = 0
        for check in DoctorCheck.all(options.instance) {
            let outcome = check.look()
            let found = outcome.problem != nil ? "missing" : outcome.advice != nil ? "advice " : "ok     "
            print("\(found) \(check.name)\(outcome.detail.isEmpty ? "" : ": " + outcome.detail)")
            if let advice = outcome.advice { print("          → \(advice)") }
            if let problem = outcome.problem {
                missing += 1
                print("          → \(problem)")
            }
        }
        guard missing == 0 else {
            print("\(missing) missing")
            throw ExitCode(1)
        }
        print("everything that SoulBox needs is here")
    }
}
