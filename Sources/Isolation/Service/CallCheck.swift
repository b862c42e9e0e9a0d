internal import IsolationProtocol
internal import SoulBoxModel

/// Checks a call before anything is made for it.
///
/// The API has validated the request already; the isolator trusts no caller with what concerns the host.
enum CallCheck {
    private static let maximumStrings = 128 << 10

    /// The image of a call that may be carried out.
    static func validate(
        _ call: ExecuteCall, in managed: ManagedSandbox?, images: ImageStore
    ) throws(IsolationError) -> Image {
        guard isName(call.execution), isName(call.account) else {
            throw IsolationError(.invalidSpec, "malformed identifier")
        }
        // It goes into the log, whose lines must be nobody's to write.
        if let request = call.request, !isName(request.lowercased()) {
            throw IsolationError(.invalidSpec, "malformed request")
        }
        let found =
            managed.map { images.image(named: $0.imageName, account: call.account) }
            ?? images.find(call.template, account: call.account)
        guard let image = found else { throw IsolationError(.templateNotFound, call.template) }
        if let scratch = call.scratch, !isPath(scratch) || managed == nil {
            throw IsolationError(.invalidSpec, "malformed scratch")
        }
        if let context = call.context, !isName(context) || managed == nil {
            throw IsolationError(.invalidSpec, "malformed context")
        }
        let limits = call.limits
        guard (1...3_600_000).contains(limits.timeoutMilliseconds), (1 << 20...64 << 30).contains(limits.memoryBytes),
            (10...1_024_000).contains(limits.cpuMillicores), (1...4096).contains(limits.processes)
        else { throw IsolationError(.invalidSpec, "limits out of range") }
        guard call.files.count <= 256, call.files.isEmpty || call.input != nil else {
            throw IsolationError(.invalidSpec, "files without their bytes")
        }
        for file in call.files {
            guard isPath(file.path), file.offset >= 0, file.size >= 0, file.size <= 64 << 20 else {
                throw IsolationError(.invalidSpec, "malformed file")
            }
        }
        // An interpreter or a compiler would take a name that begins so for an option, or for a file of options.
        if let entrypoint = call.entrypoint,
            !isPath(entrypoint) || entrypoint.hasPrefix("-") || entrypoint.hasPrefix("@")
        {
            throw IsolationError(.invalidSpec, "malformed entrypoint")
        }
        try validate(arguments: call.arguments + call.command, environment: call.environment)
        guard call.command.isEmpty || managed != nil && call.context == nil else {
            throw IsolationError(.invalidSpec, "a command needs a persistent sandbox")
        }
        guard call.terminal == nil || call.context == nil else {
            throw IsolationError(.invalidSpec, "a context has no terminal")
        }
        guard image.manifest.compile == nil || call.compileOutput != nil else {
            throw IsolationError(.invalidSpec, "compile_output is required for this template")
        }
        return image
    }

    /// Checks a program's arguments and variables.
    static func validate(
        arguments: [String], environment: [ExecutionSpec.Variable]
    ) throws(IsolationError) {
        var bytes = 0
        for argument in arguments {
            guard isText(argument) else { throw IsolationError(.invalidSpec, "NUL in an argument") }
            bytes += argument.utf8.count + 1
        }
        for variable in environment {
            guard isText(variable.name), isText(variable.value), !variable.name.isEmpty, !variable.name.contains("=")
            else {
                throw IsolationError(.invalidSpec, "malformed environment")
            }
            bytes += variable.name.utf8.count + variable.value.utf8.count + 2
        }
        guard bytes <= maximumStrings else { throw IsolationError(.invalidSpec, "arguments and environment too large") }
    }

    /// Checks what the image of a user's template is to be.
    static func validate(
        template: String, variables: [ExecutionSpec.Variable]
    ) throws(IsolationError) -> TemplateImageName {
        guard let name = TemplateImageName(template) else { throw IsolationError(.invalidSpec, "malformed identifier") }
        try validate(arguments: [], environment: variables)
        return name
    }

    /// Checks identifiers: they become names of files.
    static func validate(names: [String]) throws(IsolationError) {
        guard names.allSatisfy(isName) else { throw IsolationError(.invalidSpec, "malformed identifier") }
    }

    /// Checks what a persistent sandbox is to be.
    static func validate(
        sandbox: String, account: String, limits: SandboxLimits
    ) throws(IsolationError) {
        guard isName(sandbox), isName(account) else { throw IsolationError(.invalidSpec, "malformed identifier") }
        guard (1 << 20...1 << 40).contains(limits.memoryBytes), (10...1_024_000).contains(limits.cpuMillicores),
            (1...32_768).contains(limits.processes), (16 << 20...16 << 40).contains(limits.diskBytes),
            limits.diskBytes % 4096 == 0
        else { throw IsolationError(.invalidSpec, "limits out of range") }
    }

    /// Checks what a sandbox is to reach. Whatever is allowed, the rules refuse the host and private networks first.
    static func validate(_ network: SandboxNetwork) throws(IsolationError) {
        guard network.allowedHosts.count <= 256 else { throw IsolationError(.invalidSpec, "too many allowed hosts") }
        for host in network.allowedHosts {
            if case .network(let range) = host.target, range.isVersion6 {
                throw IsolationError(.invalidSpec, "sandboxes have no IPv6")
            }
        }
    }

    /// Relative, with no empty segment, no `.` and no `..`; an empty path where `orEmpty`.
    static func path(_ text: String, orEmpty: Bool = false) throws(IsolationError) -> String {
        guard isPath(text) || (orEmpty && text.isEmpty) else { throw IsolationError(.invalidSpec, "malformed path") }
        return text
    }

    private static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "_")
                    || byte == UInt8(ascii: "-")
            }
    }

    private static func isText(_ text: String) -> Bool { !text.utf8.contains(0) }

    /// Relative, with no empty segment, no `.` and no `..`.
    private static func isPath(_ text: String) -> Bool {
        guard isText(text), (1...4096).contains(text.utf8.count) else { return false }
        return text.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { segment in
            !segment.isEmpty && segment != "." && segment != ".." && segment.utf8.count <= 255
        }
    }
}
