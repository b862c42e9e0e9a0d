import Foundation
import LinuxKernel

/// The certificate of the web server: the operator's, or one made here and signed by itself.
struct TLSCertificate {
    private let instance: Instance
    private let http: OperatorConfiguration.HTTP

    init(_ instance: Instance, http: OperatorConfiguration.HTTP) {
        self.instance = instance
        self.http = http
    }

    /// The paths of certificate and key.
    func prepare() throws -> (certificate: String, key: String) {
        if let certificate = http.certificate, let key = http.certificateKey { return (certificate, key) }
        guard http.certificate == nil, http.certificateKey == nil else {
            throw OperatorError(
                "http.certificate without its key", advice: "Give certificate and certificate_key, or neither.")
        }
        let directory = instance.data + "/tls"
        let certificate = directory + "/certificate.pem"
        let key = directory + "/key.pem"
        if Files.exists(certificate), Files.exists(key) { return (certificate, key) }
        try Files.makeDirectory(directory, mode: 0o700)
        try Tool(
            "/usr/bin/openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "825",
                "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1", "-keyout", key,
                "-out", certificate,
            ]
        ).run(advice: "Install openssl, or give a certificate in soulbox.yml.")
        return (certificate, key)
    }
}
