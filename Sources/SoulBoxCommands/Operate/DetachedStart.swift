import Foundation
import Glibc
import LinuxKernel

/// Starts the supervisor in the background and waits until the stack is ready.
enum DetachedStart {
    static func run(_ instance: Instance) throws {
        if SupervisorLock.holder(instance) != nil {
            if StackState.read(instance.stateFile)?.isReady == true {
                print("the stack runs already")
                return
            }
            throw OperatorError("a supervisor is starting or stopping", advice: "Wait for it, or: soulbox down")
        }
        // The supervisor too runs from the installed copy: a build replaces the one that it was built as.
        try BinaryInstallation.run(instance)
        try ProjectFiles.install(instance)
        let path = instance.logs + "/supervisor.log"
        let log = try Files.open(path, [.writeOnly, .create, .truncate], mode: 0o640)
        var environment = ProcessInfo.processInfo.environment.filter {
            $0.key.hasPrefix("SOULBOX_") || $0.key == "DATABASE_URL"
        }
        environment["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin"
        environment["SOULBOX_HOME"] = instance.home
        // A supervisor that was killed has left a state behind that says ready; its successor reads it, and then writes its own.
        let stale = (try? Files.status(instance.stateFile))?.changed
        let started = try Spawn(
            path: instance.binaries + "/soulbox", arguments: ["up"],
            environment: environment.map { ($0.key, $0.value) }, log: log.rawValue
        ).start()
        let process = started.takeProcess()
        var shown = 0
        let deadline = MonotonicClock.now + 180_000_000_000
        while true {
            // What the supervisor says is what the user sees.
            let lines = ((try? Files.readString(path)) ?? "").split(separator: "\n").filter { !$0.hasPrefix("{") }
            for line in lines.dropFirst(shown) { print("  " + line) }
            shown = max(shown, lines.count)
            fflush(nil)
            let isNew = (try? Files.status(instance.stateFile))?.changed != stale
            if isNew, StackState.read(instance.stateFile)?.isReady == true { return }
            guard !process.hasExited else {
                throw OperatorError("the stack did not start", advice: "The lines above say why; more is in \(path).")
            }
            guard MonotonicClock.now < deadline else {
                throw OperatorError("the stack is not ready after three minutes", advice: "See \(instance.logs).")
            }
            usleep(100_000)
        }
    }
}
