import IsolationProtocol
import LinuxKernel
import SoulBoxModel

/// A template's image on a test's isolator, made from what a program leaves in a sandbox.
struct TestTemplate {
    let image: TemplateImageName
    let isolator: TestIsolator
    var account = "acct_test"
    let size: Int64

    /// Runs a Python program in a new sandbox and seals that.
    init(
        _ code: String, on isolator: TestIsolator, base: String = "basic-python",
        environment: [ExecutionSpec.Variable] = [], version: Int = 1
    ) throws {
        self.isolator = isolator
        image = TemplateImageName(template: Identifier.make(.template), version: version)
        let sandbox = try TestSandbox(
            on: isolator, template: base, id: TemplateBuildName(image: image, attempt: 1).text)
        let run = try sandbox.python(code)
        guard run.outcome?.exitCode == 0 else { throw IsolationError(.invalidSpec, run.description) }
        size = try sandbox.connect().sealTemplate(
            image, from: sandbox.id, account: account, environment: environment)
    }

    /// Where its layer is.
    var layer: String { isolator.sandboxDirectory + "/.templates/\(image.text)/layer.ext4" }

    /// Runs a Python program in a sandbox made for it alone.
    func python(_ code: String, account: String = "acct_test") throws -> Run {
        var request = Run.Request(code)
        request.template = image.text
        request.account = account
        return try Run.run(request, on: isolator)
    }

    func remove() throws {
        try IsolationConnection(path: isolator.socket).removeTemplate(image, account: account)
    }
}
