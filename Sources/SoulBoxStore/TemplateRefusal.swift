public import SoulBoxModel

/// Why a template was not noted, changed or deleted.
public enum TemplateRefusal: Error, Sendable, Equatable {
    /// The account has as many templates as it may.
    case quota
    /// Another template of the account has the name.
    case nameTaken
    /// There is no such template.
    case notFound
    /// A version of it is being built.
    case building
    /// Another base would be for another language than this.
    case runtime(Runtime)
    /// So many sandboxes are made from it, so many snapshots are of such, and so many executions wait or run with it.
    case inUse(sandboxes: Int64, snapshots: Int64, executions: Int64)
}
