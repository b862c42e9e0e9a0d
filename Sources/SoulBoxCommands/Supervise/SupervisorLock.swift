import Glibc
import LinuxKernel

/// The lock that says which supervisor runs an instance. The kernel drops it with the process.
struct SupervisorLock: ~Copyable {
    private let descriptor: Descriptor

    /// Takes the lock; an error when another supervisor has it.
    static func take(_ instance: Instance) throws -> SupervisorLock {
        let descriptor = try Files.open(instance.lockFile, [.readWrite, .create], mode: 0o644)
        guard flock(descriptor.rawValue, LOCK_EX | LOCK_NB) == 0 else {
            throw OperatorError(
                "this instance runs already (\(instance.home))",
                advice: "soulbox status shows it, soulbox down ends it.")
        }
        ftruncate(descriptor.rawValue, 0)
        try Files.write(to: descriptor.rawValue, Array("\(getpid())\n".utf8))
        return SupervisorLock(descriptor: descriptor)
    }

    /// The pid of the supervisor that has the lock; nil when none has.
    static func holder(_ instance: Instance) -> Int32? {
        guard let file = try? Files.open(instance.lockFile, .readOnly) else { return nil }
        if flock(file.rawValue, LOCK_SH | LOCK_NB) == 0 { return nil }
        guard let text = try? Files.readString(instance.lockFile) else { return nil }
        return Int32(text.prefix { $0.isNumber })
    }
}
