internal import CLinux
internal import Glibc

/// The clone3(2) of a sandbox, with the C code that runs in the child up to the exec of soulbox-init.
public enum SandboxClone {
    /// A child of which the caller knows the pid and holds the pidfd.
    public struct Child: ~Copyable {
        /// Its pid in the caller's pid namespace.
        public let pid: Int32
        var process: ProcessDescriptor

        /// Gives its pidfd to the caller.
        public consuming func takeProcess() -> ProcessDescriptor { process }
    }

    /// Starts the child. It waits for a byte on `go`, then makes itself the root of its namespaces and pivots into
    /// `root`, a path in the mount namespace of the calling thread.
    public static func start(
        root: String, hostname: String, initPath: String, sharedMemoryBytes: Int64, cgroup: CInt, go: CInt,
        report: CInt,
        ready: CInt
    ) throws(SystemCallError) -> Child {
        var pidfd: CInt = -1
        let pid = root.withCString { root in
            hostname.withCString { hostname in
                initPath.withCString { initPath in
                    String(sharedMemoryBytes).withCString { size in
                        var spec = soulbox_child_spec(
                            root: root, hostname: hostname, init_path: initPath, shm_size: size, cgroup: cgroup, go: go,
                            report: report, ready: ready)
                        return soulbox_clone_sandbox(&spec, &pidfd)
                    }
                }
            }
        }
        guard pid > 0 else { throw SystemCallError(call: "clone3", errno: -pid) }
        return Child(pid: pid, process: ProcessDescriptor(owning: Descriptor(owning: pidfd)))
    }

    /// Starts a child in a user namespace of its own that only waits to be killed.
    public static func startProbe(cgroup: CInt) throws(SystemCallError) -> Child {
        var pidfd: CInt = -1
        let pid = soulbox_clone_probe(cgroup, &pidfd)
        guard pid > 0 else { throw SystemCallError(call: "clone3", errno: -pid) }
        return Child(pid: pid, process: ProcessDescriptor(owning: Descriptor(owning: pidfd)))
    }
}
