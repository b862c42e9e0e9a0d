import SoulBoxModel
import Testing

/// A hostile program: it asserts in its own words that it got nowhere, and prints "held".
struct Attack: CustomTestStringConvertible {
    /// The row of the attack table in the isolation notes.
    let row: Int
    let name: String
    /// Python, after a prelude that names `S(number, …)` → (result, errno).
    let code: String

    init(_ row: Int, _ name: String, _ code: String) {
        self.row = row
        self.name = name
        self.code = code
    }

    var testDescription: String { "\(row): \(name)" }

    static let prelude = """
        import ctypes as c, os, sys, errno, subprocess, signal, time, threading, resource, socket, fcntl
        L=c.CDLL(None,use_errno=True)
        def S(*a):
            c.set_errno(0)
            r=L.syscall(*[c.c_long(x) if isinstance(x,int) else x for x in a])
            return r,c.get_errno()
        DENIED={errno.EPERM,errno.ENOSYS,errno.EACCES}
        def denied(*a):
            r,e=S(*a)
            assert r==-1 and e in DENIED, (a,r,e)
        def refused(f,*a):
            try: f(*a)
            except (OSError,PermissionError,ValueError): return
            raise AssertionError('allowed: %r %r'%(f,a))

        """

    /// Runs it; a sandbox that holds lets it print "held" at its end.
    func run(on isolator: TestIsolator = .shared) throws -> Run {
        try Run.python(Attack.prelude + code + "\nprint('held')\n", on: isolator)
    }
}
