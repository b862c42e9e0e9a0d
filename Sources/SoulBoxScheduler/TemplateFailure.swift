/// Why a build does not go on.
enum TemplateFailure: Error {
    /// Its owner can mend it, or the operator; this is what its owner is told.
    case refused(String)
    /// It is somebody else's by now, or not wanted any more.
    case lost
    /// This process ends: another one is to build it.
    case stopping
}
