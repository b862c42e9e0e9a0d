internal import Glibc
internal import LinuxKernel

/// A connection to a sandbox's PID 1. One program at a time is started over it.
struct InitConnection: Sendable {
    private let socket: SharedDescriptor

    private let passage: SandboxDoor.Passage?

    init(owning socket: consuming Descriptor, passage: SandboxDoor.Passage? = nil) {
        self.init(SharedDescriptor(socket), passage: passage)
    }

    init(_ socket: SharedDescriptor, passage: SandboxDoor.Passage? = nil) {
        self.socket = socket
        self.passage = passage
        // Arguments, environment and filters come in one packet; the default buffer holds 208 KiB with overhead.
        try? UnixSocket.setSendBuffer(bytes: 1 << 20, on: self.socket.rawValue)
    }

    /// What to poll for a message.
    var pollDescriptor: CInt { socket.rawValue }

    /// Asks for a program. The descriptors are stdin (when given), stdout and stderr.
    func start(_ start: InitMessage.Start, descriptors: [CInt]) throws(SandboxError) {
        try send(InitMessage.encode(start), descriptors)
    }

    /// Lets a process go on to its exec of something else than it was started for. The descriptors are its three streams.
    func go(_ work: InitMessage.Work, descriptors: [CInt]) throws(SandboxError) {
        try send(InitMessage.go(work), descriptors)
    }

    private func send(_ packet: [UInt8], _ descriptors: [CInt]) throws(SandboxError) {
        let result = packet.withUnsafeBytes { bytes in
            Result { () throws(SystemCallError) in
                try UnixSocket.send(bytes, descriptors: descriptors, on: socket.rawValue)
            }
        }
        if case .failure(let error) = result { throw SandboxError(.initConnect, error) }
    }

    /// Lets the program's process go on to its exec.
    func go() throws(SandboxError) { try send(InitMessage.go) }

    /// Sends a packet.
    func send(_ packet: [UInt8]) throws(SandboxError) {
        let result = packet.withUnsafeBytes { bytes in
            Result { () throws(SystemCallError) in try UnixSocket.send(bytes, on: socket.rawValue) }
        }
        if case .failure(let error) = result { throw SandboxError(.initConnect, error) }
    }

    /// Sends a packet and gives what soulbox-init answers, within that time.
    func ask(_ packet: [UInt8], milliseconds: CInt = 5000) throws(SandboxError) -> InitMessage.Received {
        try send(packet)
        return try next(milliseconds: milliseconds)
    }

    /// The next message, within that time.
    func next(milliseconds: CInt, size: Int = 128 << 10) throws(SandboxError) -> InitMessage.Received {
        var entries = [PollEntry(descriptor: socket.rawValue, events: .input)]
        let found = try step(.supervise) { () throws(SystemCallError) in
            try Poll.wait(&entries, timeout: milliseconds)
        }
        guard found > 0, let answer = try receive(size: size) else {
            throw SandboxError(.supervise, "soulbox-init does not answer")
        }
        return answer
    }

    /// The next message; nil when PID 1 is gone.
    func receive(size: Int = 256) throws(SandboxError) -> InitMessage.Received? {
        let result = withUnsafeTemporaryAllocation(byteCount: size, alignment: 8) { buffer in
            Result { () throws(SystemCallError) in
                let message = try UnixSocket.receive(into: buffer, from: socket.rawValue)
                return (Array(buffer[..<message.count]), message.credentials?.pid)
            }
        }
        switch result {
        case .failure(let error) where error.errno == ECONNRESET: return nil
        case .failure(let error): throw SandboxError(.supervise, error)
        case .success(let (bytes, _)) where bytes.isEmpty: return nil
        case .success(let (bytes, sender)):
            guard let message = InitMessage.decode(bytes, sender: sender) else {
                throw SandboxError(.supervise, "soulbox-init sent what no version of it says")
            }
            return message
        }
    }
}
