internal import SoulBoxExecution

/// What a client can do to an execution that it holds.
protocol Controls: Sendable {
    func give(_ bytes: [UInt8]) -> Bool
    func closeInput()
    func order(_ order: LiveOrder) -> Bool
    func cancel()
}

extension LiveExecution: Controls {}
