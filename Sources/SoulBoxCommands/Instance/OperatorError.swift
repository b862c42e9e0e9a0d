/// A failure that the operator can do something about: what happened, and what to do.
struct OperatorError: Error, CustomStringConvertible {
    let what: String
    let advice: String

    init(_ what: String, advice: String) {
        self.what = what
        self.advice = advice
    }

    var description: String { "\(what)\n  → \(advice)" }
}
