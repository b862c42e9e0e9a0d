import SoulBoxExecution
import SoulBoxModel
import SoulBoxStore
import Testing

@testable import SoulBoxAPI

@Suite("Validation of templates")
struct TemplateRequestTests {
    private func failures(_ body: String, isNew: Bool = true) throws -> [FieldFailure] {
        var validation = Validation()
        let object = try #require(try JSONParser.parse(Array(body.utf8)).objectValue)
        let request = TemplateRequest(
            object, isNew: isNew, within: TemplateBounds(), files: ExecuteLimits(cores: 2), &validation)
        _ = request.spec(over: nil, systems: try TestAPI.catalog().templates(), &validation)
        return validation.failures
    }

    static let wrong: [BadBody] = [
        BadBody(#"{"base": "basic-python"}"#, "name", "Is required"),
        BadBody(#"{"name": "a"}"#, "base", "Is required"),
        BadBody(#"{"name": "", "base": "basic-python"}"#, "name", "Must be 1 to 64 characters long"),
        BadBody(#"{"name": 1, "base": "basic-python"}"#, "name", "Must be a string"),
        BadBody(#"{"name": "a\u0007", "base": "basic-python"}"#, "name", "Must not contain control characters"),
        BadBody(
            #"{"name": "\#(String(repeating: "a", count: 65))", "base": "basic-python"}"#, "name",
            "Must be 1 to 64 characters long"),
        BadBody(#"{"name": "a", "base": "basic"}"#, "base", "There is no such system template"),
        BadBody(
            #"{"name": "a", "base": "\#(Identifier.make(.template))"}"#, "base", "There is no such system template"),
        BadBody(#"{"name": "a", "base": 7}"#, "base", "Must be a string"),
        .of(#""packages": "numpy""#, "packages", "Must be an array"),
        .of(#""packages": [1]"#, "packages[0]", "Must be a string"),
        .of(
            #""packages": [\#(Array(repeating: "\"a\"", count: 51).joined(separator: ","))]"#, "packages",
            "Must have at most 50 elements"),
        .of(#""environment": {"1A": "x"}"#, "environment.1A", "Names must match [A-Za-z_][A-Za-z0-9_]*"),
        .of(#""environment": {"A": null}"#, "environment.A", "Must be a string"),
        .of(#""environment": {"A": "\u0000"}"#, "environment.A", "Must not contain NUL"),
        .of(
            #""environment": {\#((0..<5).map { "\"A\($0)\": \"\(String(repeating: "x", count: 8000))\"" }.joined(separator: ","))}"#,
            "environment", "Must be at most 32768 bytes in all"),
        .of(
            #""files": [{"name": "../a", "content": ""}]"#, "files[0].name",
            "Must not contain '.' or '..' as a path segment"),
        .of(
            #""files": [{"name": "a", "content": "\#(String(repeating: "x", count: (1 << 20) + 1))"}]"#, "files",
            "Must be at most 1048576 bytes in all"),
        .of(#""setup": ["true", ""]"#, "setup[1]", "Must not be empty"),
        .of(#""setup": ["a\u0000"]"#, "setup[0]", "Must not contain NUL"),
        .of(
            #""setup": ["\#(String(repeating: "x", count: 4097))"]"#, "setup[0]", "Must be at most 4096 bytes long"),
        .of(#""setup": {}"#, "setup", "Must be an array"),
        .of(#""description": 1"#, "description", "Must be a string"),
        .of(#""version": 1"#, "version", "Unknown field"),
        BadBody(
            #"{"name": "a", "base": "basic-rust", "packages": ["numpy"]}"#, "packages",
            "Can be installed on a base for python only"),
    ]

    @Test("names what is wrong", arguments: wrong)
    func refuses(body: BadBody) throws {
        let found = try failures(body.body)
        #expect(found == [FieldFailure(field: body.field, reason: body.reason)], "\(found)")
    }

    @Test(
        "packages are what an index has, and nothing that pip would take for something else",
        arguments: [
            "", "-r x", "--index-url=http://a", "-e", "./a", "/a", "a/b", "git+https://a", "a @ https://a", "a;b",
            "a ==1", "a== 1", "a==", "a=1", "a==1;python_version<'3'", "_a", "a_", "a[", "a[]", "a[b", "a]", "a[b]c",
            "a==1,", "a,b", "a==1 --hash=x", "a\n-r", "a==1\u{0}", "ä", "a==1#x", "a$(id)", "a`id`", "a=>1", "@a",
            String(repeating: "a", count: 201),
        ])
    func badPackages(text: String) throws {
        #expect(PackageRequirement.problem(text) != nil)
        let expression = try Regex(PackageRequirement.pattern)
        #expect(text.count > 200 || text.wholeMatch(of: expression) == nil)
    }

    @Test(
        "packages with extras and versions are taken",
        arguments: [
            "a", "numpy", "ruamel.yaml", "zope-interface", "A_b", "a1", "requests[security]", "a[b,c-d]==1.0",
            "a==1.0", "a>=1,<2", "a~=1.4.2", "a!=1.*", "a===1.0+local", "a<=2!1.0rc1", "uvicorn[standard]>=0.2",
        ])
    func goodPackages(text: String) throws {
        #expect(PackageRequirement.problem(text) == nil)
        #expect(text.wholeMatch(of: try Regex(PackageRequirement.pattern)) != nil)
    }

    @Test("a change replaces what it names and keeps the rest")
    func change() throws {
        let systems = try TestAPI.catalog().templates()
        var known = TemplateSpec(base: try #require(systems.first { $0.id == "basic-python" }))
        known.packages = ["a"]
        known.setup = ["one", "two"]
        known.environment = [.init(name: "A", value: "1")]
        var validation = Validation()
        let body = try #require(
            try JSONParser.parse(Array(#"{"setup": ["three"], "packages": null, "environment": {}}"#.utf8)).objectValue)
        let request = TemplateRequest(
            body, isNew: false, within: TemplateBounds(), files: ExecuteLimits(cores: 2), &validation)
        let made = try #require(request.spec(over: known, systems: systems, &validation))
        #expect(validation.failures.isEmpty)
        #expect(made.spec.packages == ["a"] && made.spec.setup == ["three"] && made.spec.environment.isEmpty)
        #expect(made.spec.base == "basic-python" && made.runtime == .python)
        #expect(request.spec(over: known, systems: [], &validation) == nil)
        #expect(validation.failures == [FieldFailure(field: "base", reason: "Is no longer installed")])
    }

    @Test("names of images and of builds are read back, and nothing else is one")
    func names() {
        let image = TemplateImageName(template: Identifier.make(.template), version: 12)
        #expect(TemplateImageName(image.text) == image)
        let build = TemplateBuildName(image: image, attempt: 3)
        #expect(TemplateBuildName(build.text) == build && build.text.hasPrefix("build_"))
        for text in [
            "", "basic-python", image.template, image.template + "-v0", image.template + "-v01",
            image.template + "-v+1",
            image.template + "-v", image.template + "-1", image.text + "/..", "../" + image.text, image.text + "-v1",
            build.text, image.text.uppercased(),
        ] {
            #expect(TemplateImageName(text) == nil, "\(text)")
        }
        #expect(TemplateBuildName(image.text) == nil && TemplateBuildName("build_x-v1-1") == nil)
    }
}

extension BadBody {
    /// A right template but for these members.
    fileprivate static func of(_ members: String, _ field: String, _ reason: String) -> BadBody {
        BadBody(#"{"name": "a", "base": "basic-python", \#(members)}"#, field, reason)
    }
}
