/// Processes that are to be restored.
struct MemoryRestore: Sendable {
    /// CRIU with its files in place.
    let run: CriuRun
    /// The processes of each leaf, by their ids in the sandbox.
    let leaves: [Int: [Int32]]
    /// Is called when everything stands and has been checked, and before any process goes on; what it throws ends the restore.
    let commit: @Sendable (Sandbox) throws -> Void
}
