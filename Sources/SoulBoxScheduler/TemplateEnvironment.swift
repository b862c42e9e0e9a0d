internal import SoulBoxModel
internal import SoulBoxStore

/// The variables of a template's programs, and those of its build.
struct TemplateEnvironment {
    /// Where the host's certificate authorities are during a build; a template keeps nothing of `/tmp`.
    static let certificates = "/tmp/.soulbox-certificates.crt"

    /// What every program gets in sandboxes of the template.
    let image: [ExecutionSpec.Variable]

    /// What the steps of the build get.
    let build: [ExecutionSpec.Variable]

    init(_ template: TemplateBuild, pipIndex: String, hasCertificates: Bool) {
        var own = [
            ExecutionSpec.Variable(
                name: "PATH", value: "\(TemplateLayout.packages)/bin:/usr/local/bin:/usr/bin:/bin")
        ]
        if template.runtime == .python {
            // Python looks there before its own packages, and pip takes those into account (site, "USER_BASE").
            own.append(.init(name: "PYTHONUSERBASE", value: TemplateLayout.packages))
        }
        image = TemplateEnvironment.merge(own, template.spec.environment)
        var more: [ExecutionSpec.Variable] = []
        if template.runtime == .python {
            // Also for a pip that a command of the template's calls.
            for (name, value) in [
                ("PIP_USER", "1"), ("PIP_NO_CACHE_DIR", "1"), ("PIP_NO_INPUT", "1"), ("PIP_PROGRESS_BAR", "off"),
                ("PIP_DISABLE_PIP_VERSION_CHECK", "1"), ("PIP_NO_WARN_SCRIPT_LOCATION", "1"),
            ] { more.append(.init(name: name, value: value)) }
            if !pipIndex.isEmpty { more.append(.init(name: "PIP_INDEX_URL", value: pipIndex)) }
        }
        if hasCertificates {
            for name in ["PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"] {
                more.append(.init(name: name, value: TemplateEnvironment.certificates))
            }
        }
        build = TemplateEnvironment.merge(more, image)
    }

    /// Both, the second where both have a name.
    private static func merge(
        _ first: [ExecutionSpec.Variable], _ second: [ExecutionSpec.Variable]
    ) -> [ExecutionSpec.Variable] {
        first.filter { known in !second.contains { $0.name == known.name } } + second
    }
}
