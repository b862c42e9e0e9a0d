import CInit

/// Programs that run on while nobody is connected.
extension Supervisor {
    /// The most bytes of output in one packet.
    private static let maximumData = 16 << 10

    /// Starts a background program; its pipes stay here. False when the connection is to be closed.
    mutating func startBackground(_ request: inout StartRequest, at index: Int) -> Bool {
        // One that has ended makes room, the oldest first.
        if processes.count >= Supervisor.maximumProcesses {
            guard let old = processes.firstIndex(where: { $0.isOver }) else { return false }
            forget(old)
        }
        var input: (Int32, Int32) = (-1, -1)
        var output: (Int32, Int32) = (-1, -1)
        var errors: (Int32, Int32) = (-1, -1)
        guard pipe(&input, own: 1), pipe(&output, own: 0), pipe(&errors, own: 0) else {
            for end in [input.0, input.1, output.0, output.1, errors.0, errors.1] where end >= 0 { init_close(end) }
            return false
        }
        request.program.streams = (input.0, output.1, errors.1)
        let child = init_start(&request.program)
        // The program's process has its own copies; ours would keep its streams open for ever.
        for end in [input.0, output.1, errors.1] { init_close(end) }
        guard child > 0 else {
            for end in [input.1, output.0, errors.0] { init_close(end) }
            return false
        }
        processes.append(
            BackgroundProcess(
                pid: child, leaf: request.leaf, arguments: request.arguments, input: input.1, output: output.0,
                errors: errors.0))
        connections[index].child = child
        connections[index].isBackground = true
        return true
    }

    private func pipe(_ ends: inout (Int32, Int32), own: Int32) -> Bool {
        withUnsafeMutablePointer(to: &ends) { pointer in
            pointer.withMemoryRebound(to: Int32.self, capacity: 2) { init_pipe($0, own) == 0 }
        }
    }

    /// Keeps what a background program has written.
    mutating func readOutput(_ descriptor: Int32) {
        guard let index = processes.firstIndex(where: { $0.output == descriptor || $0.errors == descriptor }) else {
            return
        }
        let isOutput = processes[index].output == descriptor
        if processes[index].read(descriptor, stream: isOutput ? 1 : 2, buffer) { return }
        init_close(descriptor)
        if isOutput { processes[index].output = -1 } else { processes[index].errors = -1 }
    }

    /// Sends what is waited for and has come.
    mutating func answerAwaiting() {
        for index in connections.indices where connections[index].awaited.pid != 0 {
            let (pid, offset) = connections[index].awaited
            guard let process = processes.first(where: { $0.pid == pid }) else {
                connections[index].awaited.pid = 0
                done(-3, to: connections[index].descriptor)
                continue
            }
            guard process.chunk(after: offset) != nil || process.isOver else { continue }
            connections[index].awaited.pid = 0
            sendData(of: process, after: offset, to: connections[index].descriptor)
        }
    }

    /// Answers a packet about background programs; false when it is malformed.
    mutating func answerAboutProcess(
        _ kind: UInt32, _ reader: inout PacketReader, _ packet: UnsafeRawBufferPointer, at index: Int
    ) -> Bool {
        let descriptor = connections[index].descriptor
        if kind == PacketKind.list {
            sendList(to: descriptor)
            return true
        }
        guard let word = reader.word() else { return false }
        let pid = pid_t(bitPattern: word)
        guard let found = processes.firstIndex(where: { $0.pid == pid }) else {
            done(-3, to: descriptor)  // ESRCH
            return true
        }
        switch kind {
        case PacketKind.read:
            guard let low = reader.word(), let high = reader.word(), let waits = reader.word() else { return false }
            let offset = UInt64(low) | UInt64(high) << 32
            if waits != 0, processes[found].chunk(after: offset) == nil, !processes[found].isOver {
                connections[index].awaited = (pid, offset)
            } else {
                sendData(of: processes[found], after: offset, to: descriptor)
            }
        case PacketKind.write:
            guard let closes = reader.word() else { return false }
            done(write(UnsafeRawBufferPointer(rebasing: packet[reader.offset...]), closes != 0, found), to: descriptor)
        case PacketKind.signal:
            guard let number = reader.word() else { return false }
            // A process that is over and not yet forgotten must not be meant: its pid may be another's.
            done(processes[found].status == nil ? init_signal(pid, Int32(number)) : -3, to: descriptor)
        default:
            guard processes[found].status != nil else {
                done(-16, to: descriptor)  // EBUSY
                return true
            }
            forget(found)
            done(0, to: descriptor)
        }
        return true
    }

    private mutating func write(_ bytes: UnsafeRawBufferPointer, _ closes: Bool, _ index: Int) -> Int32 {
        guard processes[index].input >= 0 else { return -32 }  // EPIPE
        var count: Int = 0
        if bytes.count > 0 { count = init_write(processes[index].input, bytes.baseAddress, bytes.count) }
        if closes, count == bytes.count {
            init_close(processes[index].input)
            processes[index].input = -1
        }
        return Int32(truncatingIfNeeded: count)
    }

    private mutating func forget(_ index: Int) {
        var process = processes.remove(at: index)
        process.close()
    }

    private func done(_ result: Int32, to descriptor: Int32) {
        var packet = PacketWriter(PacketKind.done)
        packet.append(UInt32(bitPattern: result))
        packet.send(to: descriptor)
    }

    private func sendList(to descriptor: Int32) {
        var packet = PacketWriter(PacketKind.list)
        packet.append(UInt32(processes.count))
        for process in processes {
            packet.append(UInt32(bitPattern: process.pid))
            packet.append(process.leaf)
            packet.append(process.startedAt)
            packet.append(UInt32(process.status == nil ? 0 : 1))
            packet.append(UInt32(bitPattern: process.status ?? 0))
            packet.append(process.total)
            packet.append(UInt32(process.arguments.count))
            packet.append(process.arguments)
        }
        packet.send(to: descriptor)
    }

    /// One piece of output, or none, and whether more can come.
    private func sendData(of process: BackgroundProcess, after offset: UInt64, to descriptor: Int32) {
        var packet = PacketWriter(PacketKind.data)
        let chunk = process.chunk(after: offset)
        packet.append(UInt32(process.isOver ? 1 : 0))
        packet.append(chunk?.stream ?? 0)
        guard let chunk else {
            packet.append(max(offset, process.total))
            packet.send(to: descriptor)
            return
        }
        let skipped = offset > chunk.offset ? Int(offset - chunk.offset) : 0
        packet.append(chunk.offset + UInt64(skipped))
        packet.append([UInt8](chunk.bytes[skipped...].prefix(Supervisor.maximumData)))
        packet.send(to: descriptor)
    }
}
