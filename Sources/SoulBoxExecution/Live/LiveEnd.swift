public import SoulBoxModel

/// How an execution that is watched came to its end.
public enum LiveEnd: Sendable {
    /// It has ended, and that is noted in the database.
    case finished(ExecutionRecord)
    /// It was not carried out, or nobody knows how it ended.
    case failed(APIError)
}
