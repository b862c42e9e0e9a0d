internal import CLinux
internal import Glibc
internal import Synchronization

/// The clone3(2) of sandboxes, with the C code that runs in the child up to the exec of soulbox-init.
///
/// A thread of its own makes the call and stands still until the child's exec, as in vfork(2), while the caller makes what
/// the child waits for. It has the mount namespace and the working directory of the thread that makes this object, and a table
/// of descriptors of its own: the child's copy of it has what it needs and little else, however many sandboxes there are.
public final class SandboxClone: Sendable {
    /// A child of which the caller knows the pid and holds the pidfd.
    public struct Child: ~Copyable {
        /// Its pid in the caller's pid namespace.
        public let pid: Int32
        var process: ProcessDescriptor

        /// Gives its pidfd to the caller.
        public consuming func takeProcess() -> ProcessDescriptor { process }
    }

    /// What the child needs. Its descriptors stay open until `start` has returned.
    public struct Request: Sendable {
        /// Its root, a path in the mount namespace of the thread.
        public var root: String
        /// Its host name.
        public var hostname: String
        /// soulbox-init, in its root.
        public var initPath: String
        /// The size of `/dev/shm`.
        public var sharedMemoryBytes: Int64
        /// The directory of its cgroup, on the cgroup2 mount.
        public var cgroup: CInt
        /// Where it waits for a byte before it makes itself the root of its namespaces and pivots.
        public var go: CInt
        /// Where it says at which step it failed.
        public var report: CInt
        /// Where soulbox-init says that it listens.
        public var ready: CInt

        /// Describes a child.
        public init(
            root: String, hostname: String, initPath: String, sharedMemoryBytes: Int64, cgroup: CInt, go: CInt,
            report: CInt, ready: CInt
        ) {
            self.root = root
            self.hostname = hostname
            self.initPath = initPath
            self.sharedMemoryBytes = sharedMemoryBytes
            self.cgroup = cgroup
            self.go = go
            self.report = report
            self.ready = ready
        }
    }

    /// Where the kernel puts the pid.
    ///
    /// Safe because it is written before the byte that whoever reads it waits for, and by nobody afterwards.
    private final class Outcome: @unchecked Sendable {
        let child = UnsafeMutablePointer<soulbox_child>.allocate(capacity: 1)

        init() { child.initialize(to: soulbox_child(pid: 0, begun: 0)) }
        deinit { child.deallocate() }
    }

    private struct Job {
        let request: Request
        let outcome: Outcome
    }

    /// Our end of a socket pair: descriptors for the child go out, the byte of its beginning comes back.
    private let socket: SharedDescriptor
    /// What the thread is to do next; the descriptors for it come by the socket.
    private let next = Monitor<Job?>(nil)
    /// Whether the thread has yet to say that the child before needs it no more.
    private let owesEnd = Atomic(false)

    /// Starts the thread.
    public init(name: String) throws(SystemCallError) {
        let ends = try UnixSocket.pair(kind: .sequencedPacket).shared()
        socket = ends.first
        let next = next
        // A number and no owner: what is closed on that thread is closed in its table alone.
        let theirs = ends.second.rawValue
        WorkerThread.start(name: name) {
            guard soulbox_own_descriptors(theirs) == 0 else {
                // The table is the service's still, where the number is soon another's.
                _ = try? Files.write(to: theirs, [UInt8(ascii: "F")])
                return
            }
            guard (try? Files.write(to: theirs, [UInt8(ascii: "B")])) != nil else { return }
            while SandboxClone.serve(theirs, next) {}
        }
        // The thread has its copy of the other end when it answers.
        let answer = try withExtendedLifetime(ends.second) { () throws(SystemCallError) in
            try Files.read(from: socket.rawValue, count: 1)
        }
        guard answer == [UInt8(ascii: "B")] else { throw SystemCallError(call: "unshare", errno: ENOMEM) }
    }

    /// Starts a child. One caller at a time.
    public func start(_ request: Request) throws(SystemCallError) -> Child {
        let outcome = Outcome()
        if owesEnd.exchange(false, ordering: .relaxed) { _ = try Files.read(from: socket.rawValue, count: 1) }
        next.update { $0 = Job(request: request, outcome: outcome) }
        let descriptors = [request.cgroup, request.go, request.report, request.ready]
        _ = try withUnsafeBytes(of: UInt8(ascii: "C")) { byte throws(SystemCallError) in
            try UnixSocket.send(byte, descriptors: descriptors, on: socket.rawValue)
        }
        let byte = try Files.read(from: socket.rawValue, count: 1)
        let pid = outcome.child.pointee.pid
        guard byte == [UInt8(ascii: "B")], pid > 0 else {
            // Killed before it had said a word.
            if byte == [UInt8(ascii: "E")] { waitpid(pid, nil, 0) }
            throw SystemCallError(call: "clone3", errno: pid < 0 ? -pid : EPIPE)
        }
        owesEnd.store(true, ordering: .relaxed)
        // Whoever has ended keeps its number until it is collected, which is the caller's to do.
        do throws(SystemCallError) {
            return Child(pid: pid, process: try ProcessDescriptor(opening: pid))
        } catch {
            kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
            throw error
        }
    }

    /// Makes the next child, on the thread. Returns whether there can be a further one.
    private static func serve(_ socket: CInt, _ next: Monitor<Job?>) -> Bool {
        var byte: UInt8 = 0
        let message = try? withUnsafeMutableBytes(of: &byte) { buffer throws(SystemCallError) in
            try UnixSocket.receive(into: buffer, from: socket)
        }
        guard let message, message.count == 1 else { return false }
        guard let job = next.update({ $0.take() }), message.descriptors.count == 4 else {
            return (try? Files.write(to: socket, [UInt8(ascii: "F")])) != nil
        }
        withExtendedLifetime((message, job)) {
            run(job, message.descriptors.map(\.rawValue), begun: socket)
        }
        return true
    }

    private static func run(_ job: Job, _ descriptors: [CInt], begun: CInt) {
        job.request.root.withCString { root in
            job.request.hostname.withCString { hostname in
                job.request.initPath.withCString { initPath in
                    String(job.request.sharedMemoryBytes).withCString { size in
                        var spec = soulbox_child_spec(
                            root: root, hostname: hostname, init_path: initPath, shm_size: size,
                            cgroup: descriptors[0], go: descriptors[1], report: descriptors[2], ready: descriptors[3],
                            begun: begun)
                        soulbox_clone_sandbox(&spec, job.outcome.child)
                    }
                }
            }
        }
    }

    /// Starts a child in a user namespace of its own that only waits to be killed.
    public static func startProbe(cgroup: CInt) throws(SystemCallError) -> Child {
        var pidfd: CInt = -1
        let pid = soulbox_clone_probe(cgroup, &pidfd)
        guard pid > 0 else { throw SystemCallError(call: "clone3", errno: -pid) }
        return Child(pid: pid, process: ProcessDescriptor(owning: Descriptor(owning: pidfd)))
    }
}
