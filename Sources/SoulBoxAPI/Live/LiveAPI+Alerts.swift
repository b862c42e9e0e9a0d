public import SoulBoxModel
public import SoulBoxStore

extension LiveAPI {
    /// How many alerts are open, and what happened to alerts lately, the oldest first.
    ///
    /// - Throws: 503 without the database.
    public func alerts() throws(APIError) -> (open: Int64, changes: [AlertChange]) {
        try executions.gate.query { try alertStore.present() }
    }
}
