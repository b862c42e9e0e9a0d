internal import CLinux
internal import Glibc

/// The clone3(2) of sandboxes, with the C code that runs in the child up to the exec of soulbox-init.
///
/// A thread of its own makes the call and stands still until the child's exec, as in vfork(2), while the caller makes what
/// the child waits for. It has the mount namespace and the working directory of the thread that makes this object.
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
        /// Where soulbox-init says that it listens; the child writes a byte there before.
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

    /// Where the kernel puts pid and pidfd.
    ///
    /// Safe because it is written before the byte that whoever reads it waits for, and by nobody afterwards.
    private final class Outcome: @unchecked Sendable {
        let child = UnsafeMutablePointer<soulbox_child>.allocate(capacity: 1)

        init() { child.initialize(to: soulbox_child(pid: 0, pidfd: -1, begun: 0)) }
        deinit { child.deallocate() }
    }

    private let jobs = Monitor<[(request: Request, outcome: Outcome)]>([])

    /// Starts the thread.
    public init(name: String) {
        let jobs = jobs
        WorkerThread.start(name: name) {
            while true {
                guard let job = jobs.wait(for: { $0.isEmpty ? nil : $0.removeFirst() }) else { continue }
                SandboxClone.run(job.request, job.outcome)
            }
        }
    }

    /// Starts a child.
    ///
    /// - Parameter ready: The other end of `request.ready`.
    public func start(_ request: Request, ready: CInt) throws(SystemCallError) -> Child {
        let outcome = Outcome()
        jobs.update { $0.append((request, outcome)) }
        let byte = try Files.read(from: ready, count: 1)
        let child = outcome.child.pointee
        guard byte == [UInt8(ascii: "B")], child.pid > 0 else {
            throw SystemCallError(call: "clone3", errno: child.pid < 0 ? -child.pid : EPIPE)
        }
        return Child(pid: child.pid, process: ProcessDescriptor(owning: Descriptor(owning: child.pidfd)))
    }

    private static func run(_ request: Request, _ outcome: Outcome) {
        request.root.withCString { root in
            request.hostname.withCString { hostname in
                request.initPath.withCString { initPath in
                    String(request.sharedMemoryBytes).withCString { size in
                        var spec = soulbox_child_spec(
                            root: root, hostname: hostname, init_path: initPath, shm_size: size, cgroup: request.cgroup,
                            go: request.go, report: request.report, ready: request.ready)
                        soulbox_clone_sandbox(&spec, outcome.child)
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
