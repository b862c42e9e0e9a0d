import ArgumentParser
import Foundation
import Glibc
import LinuxKernel
import Logging
import SoulBoxService

/// `soulbox up`: starts everything and keeps it running.
struct UpCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up", abstract: "Start PostgreSQL, the services and nginx, and keep them running.")

    @OptionGroup var options: InstanceOptions
    @Flag(help: "Return once the stack is ready; it runs on in the background.") var detach = false

    func run() throws {
        guard geteuid() == 0 else {
            throw OperatorError(
                "soulbox up needs root", advice: "Sandboxes are made from namespaces and cgroups: use sudo.")
        }
        let instance = options.instance
        let configuration = try OperatorConfiguration.load(instance)
        try instance.prepare()
        if detach {
            try DetachedStart.run(instance)
            return
        }
        Signals.blockAll()
        let lock = try SupervisorLock.take(instance)
        try BinaryInstallation.run(instance)
        try ProjectFiles.install(instance)
        try APIDocument.install(instance)
        try TokenKeyDirectory(instance).prepare(try ServiceAccount.ensure())
        LoggingSystem.bootstrap { JSONLogHandler(label: $0) }
        let supervisor = Supervisor(instance, configuration: configuration, log: Logger(label: "soulbox.supervisor"))
        try supervisor.run { step in
            print(step)
            fflush(nil)
        }
        _ = consume lock
    }
}
