import Glibc
import Logging
import SoulBoxService

let (configuration, log) = ServiceProcess.start(label: "soulbox.worker")
guard let pool = ServiceProcess.option("pool").flatMap(WorkerPool.init(rawValue:)) else {
    log.critical("--pool control|execution is required")
    exit(64)
}
do {
    let worker = try Worker(configuration, pool: pool, log: log)
    worker.start()
    ServiceProcess.waitForTermination()
    worker.stop()
} catch {
    log.critical("the worker cannot start", metadata: ["error": "\(error)"])
    exit(1)
}
