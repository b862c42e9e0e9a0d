/// One control group: the same path in every hierarchy in use (cgroups(7)).
///
/// Two implementations: `CgroupV2` where one hierarchy has all controllers, `CgroupV1` where each controller has its own
/// and a cgroup2 mount beside them, without controllers, serves to kill and to tell whether anybody is left.
public protocol Cgroup: Sendable {
    /// Its path below the root of each hierarchy.
    var path: String { get }

    /// Makes it. One that exists is an error: nobody else's processes may be in it.
    func create() throws(SystemCallError)

    /// Sets limits; before the first process is attached.
    func set(_ limits: CgroupLimits) throws(SystemCallError)

    /// Sets its share of the processors while others want them too, in percent of an ordinary group's.
    func setWeight(percent: Int) throws(SystemCallError)

    /// Allows the harmless devices alone: null, zero, full, random, urandom, tty, ptmx and pseudo-terminals.
    func restrictDevices() throws(SystemCallError)

    /// Moves a process in.
    func attach(pid: Int32) throws(SystemCallError)

    /// Its directory on the cgroup2 mount, for CLONE_INTO_CGROUP of clone3(2).
    func openForClone() throws(SystemCallError) -> Descriptor

    /// Whether a process is in it, in every hierarchy.
    func contains(pid: Int32) throws(SystemCallError) -> Bool

    /// The processes in it, not those below.
    func processes() throws(SystemCallError) -> [Int32]

    /// Kills every process in it and below, also frozen ones (cgroup.kill, Linux 5.14).
    func kill() throws(SystemCallError)

    /// Waits until no process is left in it or below; false when the deadline (monotonic, nanoseconds) passes first.
    func waitUntilEmpty(deadline: UInt64) -> Bool

    /// Memory that it is charged with now, in bytes: all that it holds.
    func memoryCharged() throws(SystemCallError) -> UInt64

    /// Memory in use now, in bytes, without what the kernel would drop first (file pages not used lately).
    func memoryInUse() throws(SystemCallError) -> UInt64

    /// What it has used.
    func usage() throws(SystemCallError) -> CgroupUsage

    /// A descriptor that becomes readable when memory runs out, where the kernel does not end the group itself.
    func watchOutOfMemory() throws(SystemCallError) -> SharedDescriptor?

    /// Removes it; nothing there is no error.
    func remove() throws(SystemCallError)

    /// Removes it and the groups directly below; nothing there is no error.
    func removeTree() throws(SystemCallError)
}
