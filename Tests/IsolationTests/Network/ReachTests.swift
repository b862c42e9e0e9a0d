import Foundation
import Glibc
import IsolationProtocol
import LinuxKernel
import SoulBoxModel
import TestWorld
import Testing

@Suite("Network: what a sandbox reaches", .serialized, .enabled(if: Host.canIsolate))
struct ReachTests {
    private let network = NetworkedIsolator.shared

    @Test("no network is none: a loopback, and nobody answers for names")
    func none() throws {
        let run = try Run.python(
            TestSandbox.client + """
                print(sorted(name for _, name in socket.if_nameindex()))
                print(reach('\(TestWorld.good)', 8000), reach('good.test', 80), reach('198.19.255.255', 53))
                """, on: network.isolator)
        #expect(run.output == "['lo']\nENETUNREACH name ENETUNREACH\n", "\(run)")
    }

    @Test("everything public is reached, from one-shot sandboxes too, and both ways are counted")
    func open() throws {
        var request = Run.Request(
            TestSandbox.client + """
                print(reach('\(TestWorld.good)', 8000), reach('\(TestWorld.unnamed)', 5432))
                u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.settimeout(3)
                u.sendto(b'x', ('\(TestWorld.other)', 9000)); print(u.recv(100))
                print(reach('good.test', 8000))
                """)
        request.network = NetworkedIsolator.network([])
        let run = try Run.run(request, on: network.isolator)
        let expected = """
            hello from \(TestWorld.good) hello from \(TestWorld.unnamed)
            b'echo x'
            hello from \(TestWorld.good)

            """
        #expect(run.output == expected, "\(run)")
        let sandbox = try network.sandbox([])
        let sent = try sandbox.network(
            "s = socket.create_connection(('\(TestWorld.good)', 8000)); s.sendall(b'x' * 200000); print(len(s.recv(10)))"
        )
        #expect(sent.output == "10\n", "\(sent)")
        _ = try sandbox.network("print(reach('\(TestWorld.hidden)', 80))")
        let traffic = try #require(try sandbox.state.traffic)
        #expect(traffic.sentBytes > 10_000 && traffic.receivedBytes > 1000 && traffic.refusedPackets > 0, "\(traffic)")
        try sandbox.remove()
    }

    @Test("76, 77: private networks, metadata, the host and its services are never reached")
    func neverReached() throws {
        let listener = try HostListener(port: 47_111)
        defer { listener.close() }
        let before = network.world.visits(to: TestWorld.hidden)
        // Allowed by name, which must not help.
        for hosts in [[], ["0.0.0.0/0"], ["10.99.0.1/32", "169.254.169.254", "198.19.255.255/32"]] {
            let sandbox = try network.sandbox(hosts)
            let run = try sandbox.network(
                """
                places = ['169.254.169.254', '10.99.0.1', '10.0.0.1', '172.16.0.1', '192.168.0.1', '100.100.100.200',
                          '127.0.0.1', '0.0.0.0', '192.0.0.1', '198.18.0.1', '224.0.0.1', '255.255.255.255',
                          '198.51.100.1', '::ffff:169.254.169.254']
                from concurrent.futures import ThreadPoolExecutor
                tries = [(place, port) for place in places for port in (80, 443, 8000, 47111)]
                tries += [('198.19.255.255', port) for port in (22, 80, 443, 5432, 9000, 47111, 8080)]
                with ThreadPoolExecutor(20) as pool:
                    for there, result in zip(tries, pool.map(lambda t: reach(*t, timeout=0.4), tries)):
                        if result.startswith(('hello', 'http', 'tls', 'closed', 'host')): print('REACHED', there, result)
                print('done')
                """, milliseconds: 200_000)
            #expect(run.output == "done\n", "\(hosts): \(run)")
            try sandbox.remove()
        }
        #expect(network.world.visits(to: TestWorld.hidden) == before)
        #expect(listener.visits == 0)
    }

    @Test("80: what is not allowed is refused in every protocol, at once")
    func protocols() throws {
        let sandbox = try network.sandbox(["\(TestWorld.good):8000"])
        let places = [
            "\(TestWorld.good):9000", "\(TestWorld.other):9000", "\(TestWorld.good):8001", "\(TestWorld.other):8000",
        ]
        let before = places.map(network.world.visits(to:))
        let run = try sandbox.network(
            """
            import time
            print(reach('\(TestWorld.good)', 8000))
            start = time.time()
            print(reach('\(TestWorld.good)', 8001), reach('\(TestWorld.other)', 8000))
            print(time.time() - start < 1)
            for place in ('\(TestWorld.good)', '\(TestWorld.other)', '8.8.8.8'):
                for port in (53, 443, 9000):
                    u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.settimeout(0.3)
                    try:
                        u.sendto(b'x', (place, port)); print('REACHED', place, port, u.recv(10))
                    except OSError: pass
            try:
                i = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP); i.settimeout(0.5)
                i.sendto(bytes([8, 0, 0, 0, 0, 1, 0, 1]), ('\(TestWorld.good)', 0)); print('REACHED icmp', i.recv(10))
            except OSError: pass
            print('done')
            """)
        #expect(
            run.output == "hello from \(TestWorld.good)\nEHOSTUNREACH EHOSTUNREACH\nTrue\ndone\n", "\(run)")
        #expect(places.map(network.world.visits(to:)) == before)
        try sandbox.remove()
    }

    @Test("81: there is no IPv6")
    func version6() throws {
        let sandbox = try network.sandbox([])
        let run = try sandbox.network(
            """
            print(open('/proc/net/if_inet6').read().count('eth0'))
            for place in ('2001:db8::1', 'fe80::1%eth0', 'ff02::1%eth0', '::ffff:\(TestWorld.hidden)', '64:ff9b::a9fe:a9fe'):
                try:
                    s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); s.sendto(b'x', (place, 9, 0, 2)); print('SENT', place)
                except OSError: pass
            print('done')
            """)
        #expect(run.output == "0\ndone\n" || run.output == "0\nSENT ::ffff:\(TestWorld.hidden)\ndone\n", "\(run)")
        try sandbox.remove()
    }

    @Test("86: sandboxes do not reach each other, and no address but their own leaves their link")
    func neighbours() throws {
        let left = try network.sandbox([])
        let right = try network.sandbox([])
        defer {
            try? left.remove()
            try? right.remove()
        }
        let address = try right.network(
            "import subprocess; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect(('\(TestWorld.good)', 1)); print(s.getsockname()[0])"
        )
        let listening = Monitor<Run?>(nil)
        WorkerThread.start(name: "listener") {
            let run = try? right.network(
                """
                s = socket.socket(); s.bind(('0.0.0.0', 7000)); s.listen(); s.settimeout(4)
                try: s.accept(); print('REACHED')
                except OSError: print('nobody')
                """)
            listening.update { $0 = run ?? Run() }
        }
        let target = address.output.trimmingCharacters(in: .newlines)
        #expect(target.hasPrefix("198.18."), "\(address)")
        let run = try left.network("import time; time.sleep(1); print(reach('\(target)', 7000, timeout=1))")
        #expect(run.output == "EHOSTUNREACH\n", "\(run)")
        let heard = listening.wait(until: MonotonicClock.now + 30_000_000_000) { $0 }
        #expect(heard?.output == "nobody\n", "\(String(describing: heard))")
        // A source address that is not the link's: bound without having it, where the kernel lets a program do that.
        let before = network.world.visits(to: "\(TestWorld.good):9000")
        let spoof = try left.network(
            """
            u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            u.setsockopt(socket.IPPROTO_IP, 15, 1)
            try: u.bind(('\(target)', 0)); u.sendto(b'x', ('\(TestWorld.good)', 9000)); print('sent')
            except OSError as e: print(errno.errorcode[e.errno])
            """)
        #expect(["sent\n", "EADDRNOTAVAIL\n", "EPERM\n", "ENETUNREACH\n"].contains(spoof.output), "\(spoof)")
        usleep(300_000)
        #expect(network.world.visits(to: "\(TestWorld.good):9000") == before)
    }
}
