import Glibc
import Logging
import SoulBoxService

let (configuration, log) = ServiceProcess.start(label: "soulbox.gateway")
do {
    let gateway = try Gateway(configuration, log: log)
    try gateway.start()
    // SIGTERM is a restart of this process alone; SIGINT is the end of the whole stack.
    gateway.stop(within: ServiceProcess.waitForTermination() == SIGINT ? 20 : configuration.gateway.drainSeconds)
} catch {
    log.critical("the gateway cannot start", metadata: ["error": "\(error)"])
    exit(1)
}
