internal import Glibc
internal import Logging
internal import SoulBoxEgress
internal import SoulBoxService

let (configuration, log) = ServiceProcess.start(label: "soulbox.egress")
// Not on the main thread, which waits for signals.
Task.detached {
    do {
        let service = try await EgressService(
            socket: configuration.egressSocket, resolvers: configuration.network.resolvers, log: log)
        log.notice("egress is ready")
        try await service.run()
        throw CancellationError()
    } catch {
        log.critical("egress cannot go on", metadata: ["error": "\(error)"])
        exit(1)
    }
}
ServiceProcess.waitForTermination()
