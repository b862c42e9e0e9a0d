import Foundation
import Glibc
import LinuxKernel

/// A PostgreSQL cluster of the instance's own: data in its directory, reachable by unix socket alone.
struct PrivateCluster {
    private let instance: Instance

    init(_ instance: Instance) { self.instance = instance }

    private var data: String { instance.data + "/postgres" }
    var socketDirectory: String { instance.run + "/postgres" }

    /// How libpq reaches it.
    var connection: String { "host=\(socketDirectory) user=soulbox dbname=soulbox" }

    /// Where Debian keeps the newest installed server's programs.
    static func programs() throws -> String {
        let versions = ((try? Files.list("/usr/lib/postgresql")) ?? []).compactMap(Int.init).sorted()
        guard let newest = versions.last else {
            throw OperatorError(
                "PostgreSQL is not installed", advice: "apt-get install postgresql, or set DATABASE_URL")
        }
        return "/usr/lib/postgresql/\(newest)/bin"
    }

    /// Makes the cluster when there is none, and writes who may connect.
    func prepare(log: CInt) throws -> Spawn {
        let account = try ServiceAccount.require("postgres", package: "postgresql")
        let programs = try PrivateCluster.programs()
        try Files.makeDirectory(socketDirectory, mode: 0o755)
        try Files.setOwner(socketDirectory, user: account.user, group: account.group)
        if !Files.exists(data + "/PG_VERSION") {
            // A directory without its version file is a set-up that was cut short.
            try Files.removeTree(data)
            try Files.makeDirectory(data, mode: 0o700)
            try Files.setOwner(data, user: account.user, group: account.group)
            try Tool(
                "/usr/sbin/runuser",
                [
                    "-u", "postgres", "--", programs + "/initdb", "--pgdata", data, "--encoding", "UTF8", "--locale",
                    "C.UTF-8", "--auth", "peer", "--data-checksums", "--username", "postgres",
                ]
            ).run(advice: "See the message above; the data directory is \(data).")
        }
        // The users of this machine that run parts of SoulBox are its database user; nobody else gets in.
        try write("pg_hba.conf", "local all all peer map=soulbox\n", account)
        try write(
            "pg_ident.conf",
            ["root", "postgres", "soulbox"].map { "soulbox \($0) soulbox\nsoulbox \($0) postgres\n" }.joined(), account)
        return Spawn(
            path: programs + "/postgres",
            arguments: [
                "-D", data, "-k", socketDirectory, "-c", "listen_addresses=", "-c", "unix_socket_permissions=0777",
                "-c", "max_connections=100", "-c", "shared_buffers=64MB", "-c", "synchronous_commit=on", "-c",
                "log_statement=none", "-c", "log_parameter_max_length_on_error=0", "-c",
                "log_min_duration_statement=-1",
            ],
            environment: [
                ("LANG", "C.UTF-8"), ("PATH", "/usr/bin:/bin"),
                // mallopt(3): a session gives its memory back to the kernel after every statement otherwise.
                ("MALLOC_TOP_PAD_", "1048576"), ("MALLOC_TRIM_THRESHOLD_", "16777216"),
            ], directory: data, log: log,
            user: account.user,
            group: account.group, parentDeathSignal: SIGINT)
    }

    /// Makes role and database once the server answers.
    func makeDatabase() throws {
        let psql = ["-h", socketDirectory, "-U", "postgres", "-d", "postgres", "-Atqc"]
        let advice = "See \(instance.logs)/postgres.log."
        if try Tool("/usr/bin/psql", psql + ["SELECT 1 FROM pg_roles WHERE rolname = 'soulbox'"]).run(advice: advice)
            .isEmpty
        {
            try Tool("/usr/bin/psql", psql + ["CREATE ROLE soulbox LOGIN"]).run(advice: advice)
        }
        if try Tool("/usr/bin/psql", psql + ["SELECT 1 FROM pg_database WHERE datname = 'soulbox'"]).run(advice: advice)
            .isEmpty
        {
            try Tool("/usr/bin/psql", psql + ["CREATE DATABASE soulbox OWNER soulbox"]).run(advice: advice)
        }
    }

    /// Whether the server answers.
    func isReady() -> Bool {
        (try? Tool("/usr/bin/psql", ["-h", socketDirectory, "-U", "postgres", "-d", "postgres", "-Atqc", "SELECT 1"])
            .run(advice: "")) != nil
    }

    private func write(_ name: String, _ text: String, _ account: ServiceAccount) throws {
        let path = "\(data)/\(name)"
        try Files.writeAtomically(path, Array(text.utf8), mode: 0o600)
        try Files.setOwner(path, user: account.user, group: account.group)
    }
}
