/// A language as the API names it.
public enum Runtime: String, Sendable, CaseIterable {
    case python
    case nodejs
    case rust
    case go
    case java

    /// The runtime of that name or of one of the names that people type for it.
    public init?(alias: String) {
        switch alias {
        case "python", "python3", "py": self = .python
        case "nodejs", "node", "javascript", "js": self = .nodejs
        case "rust", "rs": self = .rust
        case "go", "golang": self = .go
        case "java": self = .java
        default: return nil
        }
    }

    /// The other names that `init(alias:)` takes.
    public var aliases: [String] {
        switch self {
        case .python: ["python3", "py"]
        case .nodejs: ["node", "javascript", "js"]
        case .rust: ["rs"]
        case .go: ["golang"]
        case .java: []
        }
    }

    /// The template that an execution starts from when it names none.
    public var defaultTemplate: String { "basic-" + rawValue }
}
