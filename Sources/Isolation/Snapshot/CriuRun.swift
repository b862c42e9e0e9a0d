internal import Glibc
internal import LinuxKernel

/// One run of CRIU, with a working directory of its own and calls back at the stages of its work.
///
/// CRIU calls a script at each stage (criu(8), `--action-script`). Ours tells the stage through one named pipe and waits for
/// the answer on another, so that what has to happen while all processes stand still happens in this process.
struct CriuRun {
    /// A stage that is answered, with the host's pid of the first process where there is one.
    enum Stage: String {
        /// Everything is written, and the processes stand still.
        case dumped = "post-dump"
        /// The namespaces of a restored sandbox are there; no socket is.
        case namespaces = "setup-namespaces"
        /// Everything is restored, and the processes stand still.
        case restored = "pre-resume"
    }

    /// A run that failed; `reason` is for the sandbox's owner, the log for the operator.
    struct Failure: Error, Sendable, CustomStringConvertible {
        let reason: String
        let log: String
        var description: String { "\(reason): \(log)" }
    }

    /// The directory.
    let directory: String
    let tools: SnapshotTools

    /// Where CRIU's files are, within the directory.
    var images: String { directory + "/memory" }

    private var question: String { directory + "/ask" }
    private var answer: String { directory + "/answer" }
    private var pidFile: String { directory + "/criu" }
    private var logFile: String { directory + "/log" }

    /// Makes a working directory of that name below another one.
    init(name: String, in parent: String, tools: SnapshotTools) throws(SystemCallError) {
        directory = "\(parent)/\(name)"
        self.tools = tools
        try Files.removeTree(directory)
        try Files.makeDirectory(directory, mode: 0o700)
        try Files.makeDirectory(images, mode: 0o755)
        for name in ["ask", "answer"] {
            let here = try Files.openDirectory(directory)
            try Files.makeFIFO(name, mode: 0o600, at: here.rawValue)
        }
        try Files.writeAtomically(directory + "/hook", Array(CriuRun.script.utf8), mode: 0o700)
    }

    /// CRIU calls it at a dozen stages, at some of them while everything stands still: a small shell answers at those that
    /// nobody waits for.
    ///
    /// Opened for both directions neither pipe keeps anybody waiting; an isolator that is gone answers no more, and the next
    /// one answers in its place.
    private static let script = """
        #!/bin/sh
        case $CRTOOLS_SCRIPT_ACTION in post-dump | setup-namespaces | pre-resume) ;; *) exit 0 ;; esac
        exec /bin/bash -c '
        exec 3<> "$SOULBOX_WORK/ask" 4<> "$SOULBOX_WORK/answer"
        echo "$CRTOOLS_SCRIPT_ACTION ${CRTOOLS_INIT_PID:-0}" >&3
        read -r -t 300 -u 4 answer && [ "$answer" = go ]'

        """

    /// Runs CRIU and calls `stage` at each stage; what that throws ends the run.
    ///
    /// - Parameters:
    ///   - group: Where CRIU, and what it restores, is from the first instruction on.
    ///   - isRestore: Whether it is in a cgroup namespace of its own, which what it restores inherits.
    func run(
        _ arguments: [String], group: (any Cgroup)? = nil, isRestore: Bool = false,
        stage: (Stage, pid_t) throws -> Void
    ) throws {
        let asked = try Files.open(question, .readWrite)
        let answered = try Files.open(answer, .readWrite)
        let gate = try Pipe.make()
        let confinement = isRestore ? ["/usr/bin/unshare", "--cgroup", "--"] : []
        let command =
            confinement + tools.criuCommand + arguments
            + ["-W", directory, "-D", images, "-o", "log", "-v2", "--action-script", directory + "/hook"]
        let started = try Spawn(
            path: "/bin/sh",
            // Exec only when it is in its group, and with nothing of the gate left. Processes that are being restored read
            // their files as the sandbox's root, through a descriptor: nobody else reaches the directory.
            arguments: ["-c", "umask 022 && read -r go && exec \"$@\" < /dev/null", "sh"] + command,
            environment: [
                ("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"), ("LC_ALL", "C.UTF-8"), ("SOULBOX_WORK", directory),
            ], input: gate.first.rawValue
        ).start()
        let pid = started.pid
        let process = started.takeProcess()
        let opener = gate.closeFirst()
        var failure: (any Error)?
        do {
            if let group { try group.attach(pid: pid) }
            try Files.writeAtomically(pidFile, Array("\(pid)".utf8), mode: 0o600)
            try Files.write(to: opener.rawValue, Array("go\n".utf8))
            failure = try serve(process, asked: asked, answered: answered, stage: stage)
        } catch {
            failure = error
        }
        if failure != nil { CriuRun.end(pid) }
        let status = try process.waitForExit()
        try? Files.removeTree(pidFile)
        if let failure { throw failure }
        guard status == .exited(0) else { throw explain() }
    }

    /// Answers until CRIU ends, or should have; gives what a stage threw.
    private func serve(
        _ process: borrowing ProcessDescriptor, asked: borrowing Descriptor, answered: borrowing Descriptor,
        stage: (Stage, pid_t) throws -> Void
    ) throws -> (any Error)? {
        let patience = UInt64(tools.seconds) * 1_000_000_000
        var deadline = MonotonicClock.now + patience
        var failure: (any Error)?
        while true {
            var entries = [
                PollEntry(descriptor: asked.rawValue, events: .input),
                PollEntry(descriptor: process.rawValue, events: .input),
            ]
            let now = MonotonicClock.now
            if now >= deadline {
                // It may have ended while it was answered.
                if try Poll.wait(&entries, timeout: 0) > 0, !entries[1].returned.isEmpty { return failure }
                // Its own code may have been in one of the processes just then: that one does not survive it.
                return failure
                    ?? Failure(
                        reason: "it took too long and was given up; look which processes still run",
                        log: "CRIU was ended")
            }
            _ = try Poll.wait(&entries, timeout: CInt(min((deadline - now) / 1_000_000 + 1, 60_000)))
            if !entries[0].returned.isEmpty {
                let text = String(decoding: try Files.readSome(from: asked.rawValue, count: 256), as: UTF8.self)
                let words = text.split(whereSeparator: \.isWhitespace)
                do {
                    guard words.count == 2, let name = Stage(rawValue: String(words[0])), let pid = pid_t(words[1])
                    else {
                        throw Failure(reason: "CRIU is of another version", log: "\(words)")
                    }
                    if failure == nil { try stage(name, pid) }
                } catch {
                    failure = error
                }
                try Files.write(to: answered.rawValue, Array((failure == nil ? "go\n" : "no\n").utf8))
                // What was done meanwhile is not its fault, and one that was told to go on is not to be ended just then.
                deadline = MonotonicClock.now + patience
                continue
            }
            if !entries[1].returned.isEmpty { return failure }
        }
    }

    /// Ends CRIU with its helpers, which have its session: one of those outlives it when nobody tells it to end.
    ///
    /// Only while it lives or has not been waited for: later the number may be another's.
    private static func end(_ pid: pid_t) { kill(-pid, SIGKILL) }

    /// What CRIU's log says of a failure.
    private func explain() -> Failure {
        let text = (try? Files.readString(logFile, maximum: 64 << 20)) ?? ""
        let errors = text.split(separator: "\n").filter { $0.contains("Error") && !$0.contains("RLIMIT_NOFILE") }
        return Failure(
            reason: CriuRefusal.reason(errors.map(String.init)), log: errors.prefix(8).joined(separator: " | "))
    }

    /// Answers whoever an earlier run of this process has left waiting, and waits for the end of CRIU: processes that it was
    /// writing, and those of a restore that was committed, go on.
    static func settle(_ parent: String) {
        for name in (try? Files.list(parent)) ?? [] {
            let directory = "\(parent)/\(name)"
            guard let text = try? Files.readString(directory + "/criu"), let pid = pid_t(text),
                let process = try? ProcessDescriptor(opening: pid),
                let command = try? Files.readString("/proc/\(pid)/cmdline"), command.contains(directory)
            else { continue }
            if let answer = try? Files.open(directory + "/answer", .readWrite) {
                try? Files.write(to: answer.rawValue, Array("no\n".utf8))
                var entries = [PollEntry(descriptor: process.rawValue, events: .input)]
                // One that ends by itself takes its helpers along.
                if (try? Poll.wait(&entries, timeout: 10_000)) == 1 { continue }
            }
            end(pid)
        }
    }

    /// For how many microseconds a dump has held all processes still; nil when CRIU has not told.
    var pauseMicroseconds: Int64? {
        (try? Files.read(directory + "/stats-dump")).flatMap(CriuStatistics.pauseMicroseconds)
    }

    /// Bytes of the pages that it has written.
    func pageBytes() throws(SystemCallError) -> Int64 {
        var bytes: Int64 = 0
        for name in try Files.list(images) where name.hasPrefix("pages-") {
            bytes += try Files.status("\(images)/\(name)").size
        }
        return bytes
    }

    /// Removes the working directory.
    func remove() { try? Files.removeTree(directory) }
}
