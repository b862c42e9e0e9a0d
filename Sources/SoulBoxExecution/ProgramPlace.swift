internal import SoulBoxModel

/// Where the text of a program goes, below `/workspace`.
///
/// A persistent sandbox holds files of its owner's, and other executions run beside this one: there the text gets a name
/// of its own, hidden, and goes when the execution has ended. Beside the other files for an interpreter, so that it finds
/// its modules there; in a directory for a compiler, which takes all of a directory's files for one program.
struct ProgramPlace {
    /// The file that holds the text.
    let file: String
    /// The file to run; nil is the template's program file.
    let entrypoint: String?
    /// What goes when the execution has ended.
    let scratch: String?

    init(_ spec: ExecutionSpec, _ template: ImageManifest, execution: String) {
        guard spec.sandbox != nil, spec.code != nil, spec.entrypoint == nil else {
            file = template.programFile
            entrypoint = spec.entrypoint
            scratch = nil
            return
        }
        let name = String(execution.suffix(12))
        if spec.context != nil {
            // A cell is no file of the workspace.
            file = ".\(name)-cell"
            scratch = nil
        } else if template.compile == nil {
            file = ".\(name)-\(template.programFile)"
            scratch = file
        } else {
            scratch = ".\(name)"
            file = ".\(name)/\(template.programFile)"
        }
        entrypoint = file
    }
}
