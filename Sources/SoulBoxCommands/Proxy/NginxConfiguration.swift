import Foundation
import LinuxKernel
import SoulBoxModel
import SoulBoxService

/// nginx's configuration, made from the templates that the binary carries.
struct NginxConfiguration {
    private let instance: Instance
    private let http: OperatorConfiguration.HTTP
    private let executionPool: ServiceConfiguration.Pool
    private let uploadLimit: Int64

    init(_ instance: Instance, http: OperatorConfiguration.HTTP, _ resolved: ServiceConfiguration) {
        self.instance = instance
        self.http = http
        executionPool = resolved.executionPool
        uploadLimit = resolved.uploadLimitBytes
    }

    /// The main file.
    var file: String { instance.run + "/nginx.conf" }

    /// Writes the files, makes the directories and, where none is given, the certificate.
    func prepare() throws {
        let certificate = try TLSCertificate(instance, http: http).prepare()
        for name in ["", "/body", "/fastcgi", "/proxy", "/uwsgi", "/scgi"] {
            try Files.makeDirectory(instance.run + "/nginx-temp" + name, mode: 0o700)
        }
        let web = try ServiceAccount.require("www-data", package: "nginx")
        for name in ["", "/body", "/fastcgi", "/proxy", "/uwsgi", "/scgi"] {
            try Files.setOwner(instance.run + "/nginx-temp" + name, user: web.user, group: web.group)
        }
        // Below the number of threads: a request beyond it would wait in the socket's backlog, where no queue sees it.
        let connections = max(1, executionPool.processes * executionPool.threads - 8)
        let values = [
            "RUN": instance.run, "LOGS": instance.logs, "HTTP_PORT": String(http.port),
            "TLS_PORT": String(http.tlsPort),
            "CERTIFICATE": certificate.certificate, "CERTIFICATE_KEY": certificate.key,
            "METRICS_ALLOW": http.metricsAllow.map { "        \($0) 1;\n" }.joined(),
            "EXECUTION_CONNECTIONS": String(connections),
            // With room for the form around the file: a worker tells better what is too large.
            "UPLOAD_SIZE": String(uploadLimit + (1 << 20)),
        ]
        try write("nginx.conf", fill(try template("soulbox.conf.in"), values))
        try write("nginx-fastcgi.conf", try template("fastcgi.conf.in"))
        try write("nginx-gateway.conf", try template("gateway.conf.in"))
        try write("nginx-errors.conf", NginxErrorPages.text)
        try Tool("/usr/sbin/nginx", ["-t", "-q", "-c", file, "-e", "stderr"]).run(
            advice: "A port may be taken, or a certificate unreadable; the configuration is \(file).")
    }

    private func write(_ name: String, _ text: String) throws {
        try Files.writeAtomically("\(instance.run)/\(name)", Array(text.utf8), mode: 0o644)
    }

    private func fill(_ template: String, _ values: [String: String]) -> String {
        values.reduce(template) { $0.replacing("@\($1.key)@", with: $1.value) }
    }

    private func template(_ name: String) throws -> String {
        let path = try ProjectFiles.directory("nginx", instance) + "/" + name
        do {
            return try Files.readString(path)
        } catch {
            throw OperatorError("\(path) cannot be read: \(error)", advice: "Run make build, which puts it there.")
        }
    }
}
