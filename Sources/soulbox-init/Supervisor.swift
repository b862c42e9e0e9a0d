import CInit

/// PID 1's loop: one thread, bounded tables, nothing that a malformed packet could end.
struct Supervisor {
    private static let maximumConnections = 64
    private static let maximumPacket = 256 << 10

    static let maximumProcesses = 32
    private static let straysKept = 64

    var connections: [Connection] = []
    var processes: [BackgroundProcess] = []
    /// Processes without a connection that have ended, the latest last: a forked program may end before it is asked about.
    private var strays: [init_death] = []
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: maximumPacket, alignment: 16)

    /// Serves until the sandbox ends.
    static func start() -> Never {
        var supervisor = Supervisor()
        supervisor.run()
    }

    private mutating func run() -> Never {
        // First: whatever a program tries from now on, it may not look into PID 1.
        init_allow_inspection(0)
        let signals = init_watch_signals()
        let listener = init_listen("/run/soulbox", "/run/soulbox/control")
        guard signals >= 0, listener >= 0 else { init_exit(1) }
        init_report_ready()
        while true {
            var entries = [
                init_poll(descriptor: signals, events: Int16(INIT_READABLE), returned: 0),
                init_poll(
                    descriptor: connections.count < Supervisor.maximumConnections ? listener : -1,
                    events: Int16(INIT_READABLE), returned: 0),
            ]
            for connection in connections {
                entries.append(init_poll(descriptor: connection.descriptor, events: connection.events, returned: 0))
            }
            let served = entries.count
            for process in processes {
                entries.append(
                    init_poll(descriptor: process.output, events: Int16(INIT_READABLE), returned: 0))
                entries.append(
                    init_poll(descriptor: process.errors, events: Int16(INIT_READABLE), returned: 0))
            }
            entries.withUnsafeMutableBufferPointer { init_wait($0.baseAddress, $0.count) }
            // Deaths first: a program's end must be told before its connection's is noticed.
            if entries[0].returned != 0 { handleSignals(signals) }
            for index in served..<entries.count where entries[index].returned != 0 && entries[index].descriptor >= 0 {
                readOutput(entries[index].descriptor)
            }
            answerAwaiting()
            var closed: [Int32] = []
            for index in 2..<served where entries[index].returned != 0 {
                if !serve(entries[index].descriptor, found: entries[index].returned) {
                    closed.append(entries[index].descriptor)
                }
            }
            for descriptor in closed { close(descriptor) }
            if entries[1].returned != 0 {
                let descriptor = init_accept(listener)
                if descriptor >= 0 { connections.append(Connection(descriptor: descriptor)) }
            }
        }
    }

    private mutating func handleSignals(_ descriptor: Int32) {
        var isAskedToEnd = false
        while true {
            let signal = init_next_signal(descriptor)
            if signal == 0 { break }
            if signal == 15 { isAskedToEnd = true }
        }
        // PID 1's exit ends everything in its namespace.
        if isAskedToEnd { init_exit(0) }
        var exit = init_death()
        while init_reap(&exit) != 0 {
            if let index = processes.firstIndex(where: { $0.pid == exit.pid && $0.status == nil }) {
                processes[index].status = exit.status
                if processes[index].input >= 0 { init_close(processes[index].input) }
                processes[index].input = -1
            }
            guard let index = connections.firstIndex(where: { $0.child == exit.pid }) else {
                remember(exit)
                continue
            }
            connections[index].child = 0
            connections[index].isBackground = false
            sendExited(exit, to: connections[index].descriptor)
        }
    }

    /// Keeps the end of a process that nobody has asked for yet.
    private mutating func remember(_ exit: init_death) {
        if strays.count == Supervisor.straysKept { strays.removeFirst() }
        strays.append(exit)
    }

    private func sendExited(_ exit: init_death, to descriptor: Int32) {
        var packet = PacketWriter(PacketKind.exited)
        packet.append(UInt32(bitPattern: exit.status))
        packet.append(UInt32(0))
        for value in [exit.user_microseconds, exit.system_microseconds, exit.peak_kibibytes] { packet.append(value) }
        packet.send(to: descriptor)
    }

    /// Handles what was found on a connection; false when it is to be closed.
    private mutating func serve(_ descriptor: Int32, found: Int16) -> Bool {
        guard let index = connections.firstIndex(where: { $0.descriptor == descriptor }) else { return true }
        if connections[index].child != 0 {
            // The isolator is gone while the program runs: nobody is left to enforce its limits.
            return found & Int16(INIT_HUNG_UP) == 0
        }
        var descriptors: (Int32, Int32, Int32, Int32, Int32) = (-1, -1, -1, -1, -1)
        var count: Int32 = 0
        let length = withUnsafeMutablePointer(to: &descriptors) { pointer in
            pointer.withMemoryRebound(to: Int32.self, capacity: Int(INIT_MAXIMUM_DESCRIPTORS)) {
                init_receive(descriptor, buffer.baseAddress, buffer.count, $0, &count)
            }
        }
        if length == -11 { return true }
        let arrived = [descriptors.0, descriptors.1, descriptors.2, descriptors.3, descriptors.4].prefix(Int(count))
        let keeps = length > 0 && answer(UnsafeRawBufferPointer(rebasing: buffer[..<length]), Array(arrived), at: index)
        // The program's process has its own copies.
        for descriptor in arrived { init_close(descriptor) }
        return keeps
    }

    private mutating func answer(_ packet: UnsafeRawBufferPointer, _ streams: [Int32], at index: Int) -> Bool {
        var reader = PacketReader(packet)
        guard let kind = reader.word(), let length = reader.word(), Int(length) == reader.left else { return false }
        let descriptor = connections[index].descriptor
        switch kind {
        case PacketKind.start:
            let body = UnsafeRawBufferPointer(rebasing: packet[reader.offset...])
            guard var request = StartRequest(body, streams: streams) else { return false }
            request.program.connection = descriptor
            if request.isBackground { return startBackground(&request, at: index) }
            let child = init_start(&request.program)
            guard child > 0 else { return false }
            connections[index].child = child
            connections[index].endsSandbox = request.endsSandbox
            return true
        case PacketKind.list, PacketKind.read, PacketKind.write, PacketKind.signal, PacketKind.forget:
            return answerAboutProcess(kind, &reader, packet, at: index)
        case PacketKind.adopt:
            // A zygote has forked it, and its parent has ended: it is ours now, and this connection's.
            guard let pid = reader.word() else { return false }
            connections[index].child = pid_t(bitPattern: pid)
            connections[index].endsSandbox = true
            // It may have ended, and been reaped, before this was read. The last of that number: numbers come again.
            if init_signal(connections[index].child, 0) != 0 {
                var death = init_death()
                death.status = 9
                if let kept = strays.lastIndex(where: { $0.pid == connections[index].child }) { death = strays[kept] }
                connections[index].child = 0
                sendExited(death, to: descriptor)
            }
            return true
        case PacketKind.inspect:
            // CRIU looks from the sandbox's own user namespace, and finds nothing of a process that may not be looked into.
            // Programs are another user without any capability: to them it makes no difference.
            guard let allows = reader.word() else { return false }
            init_allow_inspection(allows == 0 ? 0 : 1)
            sendWords([PacketKind.done, 4, 0], to: descriptor)
            return true
        case PacketKind.killAll:
            init_kill_all()
            sendWords([PacketKind.done, 0], to: descriptor)
            return true
        case PacketKind.version:
            let alive = connections.reduce(0) { $0 + ($1.child != 0 ? 1 : 0) }
            sendWords([PacketKind.version, 8, protocolVersion, UInt32(alive)], to: descriptor)
            return true
        default: return false
        }
    }

    private func sendWords(_ words: [UInt32], to descriptor: Int32) {
        var packet = PacketWriter(words[0])
        for word in words.dropFirst(2) { packet.append(word) }
        packet.send(to: descriptor)
    }

    private mutating func close(_ descriptor: Int32) {
        guard let index = connections.firstIndex(where: { $0.descriptor == descriptor }) else { return }
        let connection = connections.remove(at: index)
        init_close(descriptor)
        guard connection.child != 0 else { return }
        // A background program outlives whoever asked for it.
        if connection.isBackground { return }
        if connection.endsSandbox { init_exit(0) }
        init_kill(connection.child)
    }
}
