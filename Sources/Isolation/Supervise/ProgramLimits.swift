internal import Glibc
internal import SoulBoxModel

/// The resource limits (getrlimit(2)) of a user's program.
///
/// Memory is the cgroup's business: RLIMIT_AS stays open because the JVM and Node.js reserve far more than they use.
enum ProgramLimits {
    static func make(_ limits: ExecutionLimits, diskBytes: Int64) -> [InitMessage.ResourceLimit] {
        func limit(_ resource: UInt32, _ soft: UInt64, _ hard: UInt64) -> InitMessage.ResourceLimit {
            InitMessage.ResourceLimit(resource: resource, soft: soft, hard: hard)
        }
        let kibibyte: UInt64 = 1 << 10
        let mebibyte: UInt64 = 1 << 20
        // The numbers are those of asm-generic/resource.h, the same on x86-64 and arm64.
        return [
            limit(1, UInt64(diskBytes), UInt64(diskBytes)),  // FSIZE
            limit(3, 8 * mebibyte, 64 * mebibyte),  // STACK
            // Exactly 1: the kernel then refuses to feed a core pattern that is a pipe (core(5), fs/coredump.c).
            limit(4, 1, 1),  // CORE
            // Above the cgroup's limit, which counts and tells: the user id belongs to this sandbox alone, so this is a second net.
            limit(6, UInt64(limits.processes) + 64, UInt64(limits.processes) + 64),  // NPROC
            limit(7, 1024, 4096),  // NOFILE
            limit(8, 64 * kibibyte, 64 * kibibyte),  // MEMLOCK
            limit(11, 256, 256),  // SIGPENDING
            limit(12, 64 * kibibyte, 64 * kibibyte),  // MSGQUEUE
            limit(13, 0, 0),  // NICE
            limit(14, 0, 0),  // RTPRIO
        ]
    }
}
