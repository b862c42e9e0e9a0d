internal import CLinux
internal import Glibc

extension Namespaces {
    /// Brings up 127.0.0.1 in a network namespace.
    public static func raiseLoopback(in namespace: SharedDescriptor) throws(SystemCallError) {
        try inNetwork(namespace) { () throws(SystemCallError) in
            try check("SIOCSIFFLAGS") { soulbox_loopback_up() }
            return
        }
    }

    /// From now on nobody in a user namespace makes a namespace of any kind (namespaces(7), `/proc/sys/user`).
    public static func forbidMore(in namespace: borrowing Descriptor) throws(SystemCallError) {
        try check("max_user_namespaces") { soulbox_forbid_namespaces(namespace.rawValue) }
    }
}
