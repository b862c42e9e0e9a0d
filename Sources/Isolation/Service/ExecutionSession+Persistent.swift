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
        var (waiting, blank) = takeWaiting(in: managed, image)
        // What comes to no use; what has run as one has ended.
        defer { blank?.started.end() }
        var scratch = waiting?.command.entrypoint ?? call.scratch
        defer {
            if let scratch { try? files.removeTree(scratch) }
            try? files.removeTemporary(build)
        }
        try write(to: files, text: waiting?.command.entrypoint)
        // The filesystem's clock, which is coarser than ours, stamps what changes from here on.
        var began = CoarseClock.now
        if let program = waiting, try !begin(program, of: image, in: managed) {
            // It has ended meanwhile, or there is more to tell it than it takes, or input that is still to come.
            program.started.end()
            waiting = nil
            try files.removeTree(program.command.entrypoint)
            scratch = call.scratch
            try write(to: files, text: nil)
            began = CoarseClock.now
        }
        if let waiting {
            try send(.started(streams: waiting.output))
        } else {
            try giveStreams(to: sandbox.slot)
            try terminal.open(call.terminal, in: sandbox)
            try send(.started(streams: terminal.far))
        }
        let supervisor = StageSupervisor(
            sandbox: sandbox, filters: isolator.filters, entry: entry, caller: connection.pollDescriptor,
            cpuCeiling: managed.limits.cpuMillicores)
        let diskBytes = managed.limits.diskBytes
        let compile =
            try call.command.isEmpty
            ? compileStage(
                of: image, supervisor: supervisor, build: "/tmp/" + build, diskBytes: diskBytes, prestarted: nil,
                blank: &blank)
            : nil
        if let compile {
            try send(.compiled(compile.outcome))
            if !compile.isProgram {
                return ExecutionOutcome(termination: compileTermination(compile.outcome), compile: compile.outcome)
            }
        }
        let result: StageSupervisor.Result
        if let waiting {
            result = try supervisor.follow(waiting, call.limits)
        } else {
            var program = program(of: image, build: "/tmp/" + build, diskBytes: diskBytes)
            if !call.command.isEmpty { program.arguments = call.command }
            terminal.give(to: &program)
            let standing = blank
            blank = nil
            result = try supervisor.run(program, as: standing)
        }
        let changed = ChangedFiles(files: files, scratch: scratch)
            .since(seconds: began.seconds, nanoseconds: began.nanoseconds, limit: call.artifactLimits.count)
        var left = changed[...]
        while !left.isEmpty {
            try send(.artifacts(Array(left.prefix(200))))
            left = left.dropFirst(200)
        }
        prepareNext(managed, image)
        return outcome(result, compile?.outcome)
    }

    /// Writes the call's files.
    ///
    /// - Parameter text: The name that the program's text gets; nil is the call's.
    private func write(to files: SandboxFiles, text: String?) throws {
        guard let input = call.input else { return }
        for file in call.files {
            let path = file.path == call.entrypoint ? text ?? file.path : file.path
            try files.replace(path) { descriptor throws(SystemCallError) in
                try Files.copy(from: input, offset: file.offset, count: file.size, to: descriptor)
            }
        }
    }

    /// Has something wait for the next execution, which is likely to be like this one.
    private func prepareNext(_ managed: ManagedSandbox, _ image: Image) {
        let isText =
            call.command.isEmpty && call.terminal == nil && call.scratch != nil && call.scratch == call.entrypoint
        let command =
            isText ? SandboxSupply.programInPersistent(of: image, like: call, limits: call.limits) : nil
        let (next, limits) = (isolator.next, call.limits)
        used.wish { next?.want(command, limits, in: managed) }
    }

    /// What waits for the sandbox's next execution, if this can be its work. If not, it ends: this execution may leave what
    /// changes how programs start.
    private func takeWaiting(
        in managed: ManagedSandbox, _ image: Image
    ) -> (program: PrestartedProgram?, blank: BlankProcess?) {
        switch managed.takeWaiting() {
        case .program(let program): (canBe(program, in: managed, image), nil)
        case .blank(let blank): (nil, resized(blank, in: managed, image))
        case nil: (nil, nil)
        }
    }

    /// A process that stands before its exec, with the limits of the execution's first stage; nil when it cannot have them.
    private func resized(_ blank: BlankProcess, in managed: ManagedSandbox, _ image: Image) -> BlankProcess? {
        let limits = call.command.isEmpty ? OneShotSandboxes.compilerLimits(image, call.limits) : call.limits
        guard managed.limits.diskBytes <= blank.diskBytes,
            let resized = try? blank.resized(to: limits, before: nil, ceiling: managed.limits.cpuMillicores)
        else {
            blank.started.end()
            return nil
        }
        return resized
    }

    private func canBe(
        _ waiting: PrestartedProgram, in managed: ManagedSandbox, _ image: Image
    ) -> PrestartedProgram? {
        var command = SandboxSupply.program(
            of: image, for: call, standard: waiting.limits, file: waiting.command.entrypoint)
        command?.isForked = false
        // The text's name must be nobody's wish.
        guard call.command.isEmpty, call.terminal == nil, command == waiting.command, call.scratch != nil,
            call.scratch == call.entrypoint,
            managed.limits.diskBytes == waiting.diskBytes, !waiting.isDead
        else {
            waiting.started.end()
            return nil
        }
        return waiting
    }

    /// Gives a program that waits its limits and its work; false when it does not take that.
    private func begin(_ program: PrestartedProgram, of image: Image, in managed: ManagedSandbox) throws -> Bool {
        let ceiling = managed.limits.cpuMillicores
        let wanted = StartedProgram.limits(call.limits, cpuCeiling: ceiling)
        if wanted != StartedProgram.limits(program.limits, cpuCeiling: ceiling) {
            try step(.cgroupAttach) { () throws(SystemCallError) in try program.started.leaf.set(wanted) }
        }
        let plain = self.program(of: image, build: CommandLine.buildDirectory, diskBytes: managed.limits.diskBytes)
        return try begin(program, plain.environment) != nil
    }
}
