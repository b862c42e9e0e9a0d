/// A range of 65,536 host user and group ids that belongs to one sandbox.
///
/// Inside, 0 is PID 1 alone and 1000 is the user's program. No two live sandboxes share a host id: keyrings, per-user
/// counters and signals go by it.
struct UserSlot: Sendable, Hashable {
    /// How many ids a sandbox has.
    static let size: UInt32 = 65_536

    /// The id that programs run as, inside.
    static let program: UInt32 = 1000

    /// Number within the instance's range.
    let index: Int

    /// The host id that is 0 inside.
    let base: UInt32

    /// The host id of the user's program.
    var hostProgram: UInt32 { base + UserSlot.program }
}
