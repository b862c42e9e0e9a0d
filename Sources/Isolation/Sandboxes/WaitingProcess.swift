/// What waits in a persistent sandbox for its next execution.
enum WaitingProcess: Sendable {
    /// An interpreter that has started, and waits for its work.
    case program(PrestartedProgram)
    /// A process that stands before its exec, whatever that may be.
    case blank(BlankProcess)

    /// What waits in one that stood ready.
    init?(in ready: ReadySandbox) {
        if let program = ready.program {
            self = .program(program)
        } else if let blank = ready.blank {
            self = .blank(blank)
        } else {
            return nil
        }
    }

    /// The process.
    var started: StartedProgram {
        switch self {
        case .program(let program): program.started
        case .blank(let blank): blank.started
        }
    }
}
