internal import Glibc
internal import IsolationProtocol
internal import LinuxKernel
internal import SoulBoxModel

extension ExecutionSession {
    /// Runs the execution in a sandbox that was there before and stays.
    func inPersistentSandbox(
        _ managed: ManagedSandbox, image: Image, entry: ExecutionTable.Entry
    ) throws -> ExecutionOutcome {
        let sandbox = try managed.enter(entry)
        defer { managed.leave(entry) }
        let files = SandboxFiles(sandbox)
        let build = ".soulbox/\(SandboxName.make())"
        defer {
            if let scratch = call.scratch { try? files.removeTree(scratch) }
            try? files.removeTemporary(build)
        }
        if let input = call.input {
            for file in call.files {
                try files.replace(file.path) { descriptor throws(SystemCallError) in
                    try Files.copy(from: input, offset: file.offset, count: file.size, to: descriptor)
                }
            }
        }
        try giveStreams(to: sandbox.slot)
        // The filesystem's clock, which is coarser than ours, stamps what changes from here on.
        let began = CoarseClock.now
        try terminal.open(call.terminal, in: sandbox)
        try send(.started(streams: terminal.far))
        let supervisor = StageSupervisor(
            sandbox: sandbox, filters: isolator.filters, entry: entry, caller: connection.pollDescriptor,
            cpuCeiling: managed.limits.cpuMillicores)
        let diskBytes = managed.limits.diskBytes
        let compile =
            try call.command.isEmpty
            ? compileStage(
                of: image, supervisor: supervisor, build: "/tmp/" + build, diskBytes: diskBytes, prestarted: nil)
            : nil
        if let compile {
            try send(.compiled(compile.outcome))
            if !compile.isProgram {
                return ExecutionOutcome(termination: compileTermination(compile.outcome), compile: compile.outcome)
            }
        }
        var program = program(of: image, build: "/tmp/" + build, diskBytes: diskBytes)
        if !call.command.isEmpty { program.arguments = call.command }
        terminal.give(to: &program)
        let result = try supervisor.run(program)
        let changed = ChangedFiles(files: files, scratch: call.scratch)
            .since(seconds: began.seconds, nanoseconds: began.nanoseconds, limit: call.artifactLimits.count)
        var left = changed[...]
        while !left.isEmpty {
            try send(.artifacts(Array(left.prefix(200))))
            left = left.dropFirst(200)
        }
        return outcome(result, compile?.outcome)
    }
}
