internal import IsolationProtocol
internal import LinuxKernel
internal import SoulBoxModel

/// The files of an execution in one sealed memory file, and its standard input in another.
struct ExecutionInput {
    let files: [ExecuteCall.File]
    let contents: SharedDescriptor?
    let stdin: SharedDescriptor?
    /// Where input that comes while the program runs is written to; nil when all of it is known, or there is none.
    let writeEnd: SharedDescriptor?

    /// Lays out the files of a spec; its code becomes the template's program file.
    ///
    /// - Parameter isInteractive: Whether input comes while the program runs, unless the spec has all of it.
    init(_ spec: ExecutionSpec, programFile: String, isInteractive: Bool = false) throws(SystemCallError) {
        var inputs = spec.files
        if let code = spec.code { inputs.append(InputFile(path: programFile, contents: Array(code.utf8))) }
        var files: [ExecuteCall.File] = []
        var memory = try SealedFile(name: "input")
        for input in inputs {
            files.append(.init(path: input.path, offset: memory.size, size: input.contents.count))
            try memory.append(input.contents)
        }
        self.files = files
        contents = files.isEmpty ? nil : SharedDescriptor(try memory.seal())
        if isInteractive, spec.stdin == nil {
            let ends = try Pipe.make().shared()
            // Of this end alone: a program that does not read holds nobody up.
            try Pipe.makeNonBlocking(ends.second.rawValue)
            (stdin, writeEnd) = (ends.first, ends.second)
        } else if let text = spec.stdin, !text.isEmpty {
            stdin = SharedDescriptor(try SealedFile.make(name: "stdin", contents: Array(text.utf8)))
            writeEnd = nil
        } else {
            stdin = nil
            writeEnd = nil
        }
    }
}
