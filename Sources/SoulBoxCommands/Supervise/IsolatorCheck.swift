import IsolationProtocol

/// Asks the isolation service how it stands.
enum IsolatorCheck {
    static func answers(_ socket: String) -> Bool { (try? IsolationConnection(path: socket).status()) != nil }
}
