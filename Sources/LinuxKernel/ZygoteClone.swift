internal import CLinux
internal import Glibc

/// The clone3(2) of a zygote, with the C code that runs in the child up to the exec of the interpreter.
public enum ZygoteClone {
    /// What it is started as.
    public struct Spec: Sendable {
        /// The read-only layers of its root, the topmost first.
        public var layers: [String]
        /// An empty directory where the root is put together.
        public var root: String
        /// Its working directory, inside.
        public var directory: String
        /// Its arguments, the interpreter's path first.
        public var arguments: [String]
        /// Its whole environment.
        public var environment: [(name: String, value: String)]
        /// Its resource limits (getrlimit(2)).
        public var limits: [(resource: UInt32, soft: UInt64, hard: UInt64)]

        /// Describes one.
        public init(
            layers: [String], root: String, directory: String, arguments: [String],
            environment: [(name: String, value: String)], limits: [(resource: UInt32, soft: UInt64, hard: UInt64)]
        ) {
            self.layers = layers
            self.root = root
            self.directory = directory
            self.arguments = arguments
            self.environment = environment
            self.limits = limits
        }
    }

    /// Starts it: in mount, network, ipc and uts namespaces of its own, its root read-only, without any capability.
    ///
    /// - Parameters:
    ///   - streams: Its standard input, output and error.
    ///   - control: The socket that it finds as descriptor 3.
    ///   - cgroup: The directory of the group that it is born in, on the cgroup2 mount.
    public static func start(
        _ spec: Spec, streams: (CInt, CInt, CInt), control: CInt, cgroup: CInt
    ) throws(SystemCallError) -> SandboxClone.Child {
        var pidfd: CInt = -1
        var step: Int32 = 0
        let limits = spec.limits.flatMap { [UInt64($0.resource), $0.soft, $0.hard] }
        let pid = Spawn.withPointers(spec.arguments) { arguments in
            Spawn.withPointers(spec.environment.map { "\($0.name)=\($0.value)" }) { environment in
                ("metacopy=off,redirect_dir=nofollow,index=off,xino=off,lowerdir=" + spec.layers.joined(separator: ":"))
                    .withCString { layers in
                        spec.root.withCString { root in
                            spec.directory.withCString { directory in
                                limits.withUnsafeBufferPointer { limits in
                                    var child = soulbox_zygote_spec(
                                        layers: layers, root: root, directory: directory, arguments: arguments,
                                        environment: environment, limits: limits.baseAddress,
                                        limit_count: UInt32(spec.limits.count), streams: streams, control: control,
                                        cgroup: cgroup)
                                    return soulbox_start_zygote(&child, &pidfd, &step)
                                }
                            }
                        }
                    }
            }
        }
        guard pid > 0 else { throw SystemCallError(call: "zygote step \(step)", errno: -pid) }
        return SandboxClone.Child(pid: pid, process: ProcessDescriptor(owning: Descriptor(owning: pidfd)))
    }
}
