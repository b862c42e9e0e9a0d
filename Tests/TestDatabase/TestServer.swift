internal import Glibc
internal import LinuxKernel
internal import Synchronization
internal import TestProcess

/// A PostgreSQL server of the test's own, in a temporary directory, reached through a unix socket only.
///
/// It ends with this process, however that ends: the kernel sends it SIGQUIT, its immediate shutdown.
package final class TestServer: Sendable {
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    private static let directories = Mutex<[String]>([])
    private static let cleaning: CInt = atexit {
        for directory in TestServer.directories.withLock({ $0 }) { try? Files.removeTree(directory) }
    }

    private let programs: String
    private let user: (id: UInt32, group: UInt32)
    private let directory: String
    private let process = Mutex<TestProcess?>(nil)

    /// Makes a cluster and starts it.
    package init() throws {
        programs = try TestServer.findPrograms()
        // initdb and postgres refuse to run as root.
        guard getuid() == 0 else {
            user = (getuid(), getgid())
            directory = try TestServer.makeDirectory(owner: nil)
            try begin()
            return
        }
        guard let entry = getpwnam("postgres") else { throw Failure(description: "no user postgres") }
        user = (entry.pointee.pw_uid, entry.pointee.pw_gid)
        directory = try TestServer.makeDirectory(owner: user)
        try begin()
    }

    deinit { try? stop() }

    private func begin() throws {
        _ = TestServer.cleaning
        TestServer.directories.withLock { $0.append(directory) }
        let initdb = Spawn(
            path: "\(programs)/initdb",
            arguments: [
                "-D", "\(directory)/data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8",
                "--no-sync",
            ], directory: directory, user: user.id, group: user.group)
        guard case .exited(0) = try initdb.start().takeProcess().waitForExit() else {
            throw Failure(description: "initdb failed")
        }
        try start()
    }

    /// What PQconnectdb takes to reach that database.
    package func url(_ database: String = "postgres") -> String { "host=\(directory) user=postgres dbname=\(database)" }

    /// Lets every user of this machine reach its socket, as a server of the operator's would.
    package func openToAll() throws {
        guard chmod(directory, 0o755) == 0 else { throw SystemCallError(call: "chmod", errno: errno) }
    }

    /// The postmaster; nil while the server is stopped.
    package var pid: Int32? { process.withLock { $0?.pid } }

    /// Starts the server and waits until it takes connections.
    package func start() throws {
        let server = try TestProcess(
            "\(programs)/postgres",
            [
                "-D", "\(directory)/data", "-k", directory, "-c", "listen_addresses=", "-c", "fsync=off",
                "-c", "max_connections=60", "-c", "shared_buffers=16MB",
            ], user: user.id, group: user.group, directory: directory, parentDeathSignal: SIGQUIT)
        process.withLock { $0 = server }
        let probe = Spawn(path: "\(programs)/pg_isready", arguments: ["-q", "-h", directory])
        for _ in 0..<500 {
            if case .exited(0) = try probe.start().takeProcess().waitForExit() { return }
            usleep(20_000)
        }
        throw Failure(description: "the server does not start")
    }

    /// Stops the server at once, as a crash would.
    package func stop() throws {
        guard
            let server = process.withLock({ process in
                defer { process = nil }; return process
            })
        else { return }
        server.signal(SIGQUIT)
        server.waitForExit()
    }

    private static func makeDirectory(owner: (id: UInt32, group: UInt32)?) throws -> String {
        let path = "/tmp/soulbox-test-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        try Files.makeDirectory(path, mode: 0o700)
        if let owner, chown(path, owner.id, owner.group) < 0 { throw SystemCallError(call: "chown", errno: errno) }
        return path
    }

    /// The newest server that is installed.
    private static func findPrograms() throws -> String {
        let root = "/usr/lib/postgresql"
        guard let version = (try? Files.list(root))?.compactMap(Int.init).max() else {
            throw Failure(description: "PostgreSQL is not installed")
        }
        return "\(root)/\(version)/bin"
    }
}
