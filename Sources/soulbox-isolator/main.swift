internal import Glibc
internal import Isolation
internal import Logging
internal import SoulBoxService

let (configuration, log) = ServiceProcess.start(label: "soulbox.isolator")
do {
    let isolator = try Isolator(
        IsolatorConfiguration(
            instance: configuration.instance, socketPath: configuration.isolatorSocket,
            socketGroup: configuration.serviceGroup, allowedUsers: [configuration.serviceUser],
            runDirectory: configuration.runDirectory + "/isolator", sandboxDirectory: configuration.sandboxDirectory,
            imageDirectory: configuration.imageDirectory,
            initPath: configuration.binaryDirectory + "/soulbox-init",
            zygotePath: configuration.binaryDirectory + "/libsoulbox-zygote.so",
            concurrentExecutions: configuration.executions.concurrent,
            queueWaitMilliseconds: configuration.executions.queueWaitSeconds * 1000,
            pool: PoolSettings(
                isEnabled: configuration.readyPool.isEnabled, minimum: configuration.readyPool.minimum,
                memoryBytes: UInt64(configuration.readyPool.memoryBytes)),
            snapshotProcessSeconds: configuration.snapshots.processSeconds,
            network: NetworkSettings(
                isEnabled: configuration.network.isEnabled, egressUser: configuration.network.egressUser,
                resolvers: configuration.network.resolvers, connections: configuration.network.connections,
                newConnectionsPerSecond: configuration.network.newConnectionsPerSecond,
                bytesPerSecond: configuration.network.bytesPerSecond),
            egressSocketPath: configuration.egressSocket, version: configuration.version),
        log: log)
    let servers = try IsolationServers(isolator, log: log)
    servers.start()
    ServiceProcess.waitForTermination()
    log.notice("stopping")
    isolator.shutDown(within: 10)
} catch {
    log.critical("the isolator cannot start", metadata: ["error": "\(error)"])
    exit(1)
}
