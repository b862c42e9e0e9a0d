internal import Crypto
internal import IsolationProtocol
internal import LinuxKernel
internal import SoulBoxModel

/// What decides what a compiler makes: whose program it is, the image, the command, and every file.
///
/// The account is part of it, so that nobody gets what another one's compiler has made.
struct CompileKey: Hashable, Sendable {
    /// SHA-256, in hexadecimal digits.
    let text: String

    /// Nil for an image that compiles nothing, and for files that cannot be read.
    init?(_ call: ExecuteCall, _ image: Image) {
        guard let stage = image.manifest.compile, let input = call.input else { return nil }
        var hash = SHA256()
        func add(_ text: String) {
            hash.update(data: Array("\(text.utf8.count):".utf8))
            hash.update(data: Array(text.utf8))
        }
        add(call.account)
        add(image.name)
        let limits = OneShotSandboxes.compilerLimits(image, call.limits)
        let line = CommandLine(
            entrypoint: call.entrypoint ?? image.manifest.programFile, build: CommandLine.buildDirectory,
            memoryBytes: stage.memoryBytes, cpuMillicores: limits.cpuMillicores)
        for argument in line.arguments(of: stage.command) { add(argument) }
        for variable in line.environment(
            of: stage.command, template: image.manifest.environment, request: image.variables)
        { add("\(variable.name)=\(variable.value)") }
        for file in call.files {
            guard let bytes = try? Files.read(from: input, offset: file.offset, count: file.size),
                bytes.count == file.size
            else { return nil }
            add(file.path)
            hash.update(data: Array("\(bytes.count):".utf8))
            hash.update(data: bytes)
        }
        text = hash.finalize().map { byte in
            String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
        }.joined()
    }
}
