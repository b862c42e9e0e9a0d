import Testing

/// Rows 1 to 27 of the attack table: escape and privilege.
@Suite("Attacks: escape and privilege", .enabled(if: Host.canIsolate))
struct EscapeTests {
    static let attacks = [
        Attack(
            1, "a user namespace of its own",
            """
            denied(272,0x10000000); denied(56,0x10000000|17,0,0,0,0)
            assert open('/proc/sys/user/max_user_namespaces').read().strip()=='0'
            refused(lambda: open('/proc/sys/user/max_user_namespaces','w').write('1'))
            """),
        Attack(
            2, "clone3 hides its flags",
            """
            assert S(435,0,0)==(-1,38)
            ts=[threading.Thread(target=lambda: None) for _ in range(50)]
            [t.start() for t in ts]; [t.join() for t in ts]
            """),
        Attack(3, "the mount calls", "for n in (165,166,155,428,429,430,431,432,433,442): denied(n,0,0,0,0,0)"),
        Attack(
            4, "cgroup v1's release agent",
            """
            assert not os.path.exists('/sys/fs/cgroup') or os.listdir('/sys/fs/cgroup')==[]
            os.mkdir('/tmp/c'); denied(165,b'x',b'/tmp/c',b'cgroup',0,b'memory')
            """),
        Attack(
            5, "chroot and dot-dot",
            """
            os.mkdir('x'); refused(os.chroot,'x'); denied(161,b'x')
            os.chdir('/'+'../'*40); assert 'workspace' in os.listdir('.') and os.getcwd()=='/'
            refused(os.listdir,'/proc/1/root')
            """),
        Attack(
            6, "descriptors that leaked in",
            """
            fds=set(os.listdir('/proc/self/fd')); assert fds<= {'0','1','2','3'}, fds
            for f in ('0','1','2'): assert not os.path.isdir('/proc/self/fd/'+f)
            """),
        Attack(
            7, "PID 1's executable",
            """
            refused(open,'/proc/1/exe','r+b'); refused(open,'/usr/lib/soulbox/init','r+b'); refused(os.remove,'/usr/lib/soulbox/init')
            """),
        Attack(
            10, "looking into PID 1 and whoever enters",
            """
            for _ in range(300):
                for p in os.listdir('/proc'):
                    if p.isdigit(): assert os.stat('/proc/'+p).st_uid==1000, p
                refused(open,'/proc/1/environ'); refused(open,'/proc/1/mem','rb'); refused(os.readlink,'/proc/1/exe')
            """),
        Attack(
            11, "set-user-id programs",
            """
            s=open('/proc/self/status').read(); assert 'NoNewPrivs:\\t1' in s
            import shutil; shutil.copy('/usr/bin/id','/tmp/id'); os.chmod('/tmp/id',0o6755)
            assert subprocess.check_output(['/tmp/id','-u']).strip()==b'1000'
            for d,_,fs in os.walk('/usr'):
                for f in fs:
                    st=os.lstat(d+'/'+f); assert st.st_mode & 0o6000==0 or os.path.islink(d+'/'+f), d+'/'+f
            """),
        Attack(
            12, "capabilities that were left",
            """
            for l in open('/proc/self/status'):
                if l.startswith('Cap'): assert l.split()[1]=='0'*16, l
            assert L.prctl(27,0,0,0,0)&1==1
            refused(os.setuid,0); refused(os.setgid,0); refused(os.setgroups,[0])
            """),
        Attack(
            13, "overlayfs tricks",
            """
            denied(165,b'overlay',b'/tmp',b'overlay',0,b'lowerdir=/,upperdir=/tmp,workdir=/tmp')
            refused(os.setxattr,'/workspace',b'trusted.overlay.redirect',b'/etc'); assert not os.path.exists('/dev/fuse')
            """),
        Attack(
            14, "device nodes",
            """
            denied(133,b'/tmp/b',0o60600,0xfe00); denied(133,b'/tmp/c',0o20600,0x103); denied(259,-100,b'/tmp/d',0o20600,0x103)
            assert set(os.listdir('/dev'))=={'null','zero','full','random','urandom','tty','fd','stdin','stdout','stderr','ptmx','pts','shm'}
            refused(open,'/dev/x','w'); refused(os.remove,'/dev/null')
            """),
        Attack(
            15, "socket families",
            """
            for f in range(46):
                r,e=S(41,f,1,0)
                if r>=0: assert f in (1,2,10), f
                else: assert f not in (1,2,10), (f,e)
            denied(41,2,3,1); denied(41,10,3,58); denied(41,17,3,0); denied(41,16,3,6); denied(41,38,5,0); denied(41,40,1,0)
            assert S(41,16,3,0)[0]>=0; denied(41,(1<<32)+17,3,0)
            """),
        Attack(16, "io_uring", "b=c.create_string_buffer(256)\nfor n in (425,426,427): assert S(n,1,b,0)[1] in (38,1)"),
        Attack(17, "keyrings", "denied(250,0,-3,1); denied(248,b'user',b'x',b'y',1,-3); denied(249,b'user',b'x',0,-3)"),
        Attack(18, "ptrace and other processes' memory", "for n in (101,310,311,438,440,312): denied(n,0,0,0,0,0)"),
        Attack(
            19, "bpf, perf, userfaultfd, modules, kexec, reboot",
            """
            for n in (321,298,323,300,246,175,176,313,169,167,168,172,173,163,103,212,320,205): denied(n,0,0,0,0)
            """),
        Attack(20, "open_by_handle_at", "denied(304,-100,0,0); denied(303,-100,b'/',0,0,0)"),
        Attack(
            22, "typing into a terminal",
            """
            m,s=os.openpty(); assert os.isatty(s)
            denied(16,s,0x5412,b'x'); denied(16,s,(1<<32)+0x5412,b'x'); denied(16,s,0x541C,b'x'); denied(16,s,0x541D,0)
            """),
        Attack(23, "personality", "denied(135,0x0400000); denied(135,0x0040000); assert S(135,0xffffffff)[0]>=0"),
        Attack(
            24, "raw and packet sockets, interfaces",
            """
            refused(socket.socket,socket.AF_PACKET,socket.SOCK_RAW,0); refused(socket.socket,socket.AF_INET,socket.SOCK_RAW,1)
            assert sorted(socket.if_nameindex())==[(1,'lo')]
            """),
        Attack(25, "system calls nobody knows", "assert S(9999)==(-1,38) and S(590)==(-1,38)"),
        Attack(
            26, "what runs before the filter",
            """
            r=subprocess.run([sys.executable,'-c','print(open("/proc/self/status").read())'],env={'LD_PRELOAD':'/nonexistent.so','PATH':'/usr/bin'},capture_output=True,text=True).stdout
            assert 'Seccomp:\\t2' in r and 'Seccomp_filters:\\t2' in r
            """),
        Attack(35, "the clock", "denied(164,0,0); denied(227,0,0); denied(159,0); denied(305,0,0)"),
        Attack(
            47, "priority and real-time scheduling",
            """
            refused(os.nice,-5); refused(os.sched_setscheduler,0,os.SCHED_FIFO,os.sched_param(50))
            """),
        Attack(48, "pinned memory", "denied(151,3) if True else 0"),
        Attack(
            52, "signals at PID 1",
            """
            refused(os.kill,1,signal.SIGKILL); refused(os.kill,1,signal.SIGTERM)
            signal.signal(signal.SIGTERM,signal.SIG_IGN); L.kill(-1,15)
            """),
        Attack(
            72, "what /proc tells",
            """
            for f in ('kcore','keys','timer_list','sched_debug','kallsyms','interrupts','kpagecount','sysrq-trigger','kmsg'):
                try: d=open('/proc/'+f,'rb').read(64)
                except OSError: continue
                assert d==b'', f
            for f in ('acpi','scsi','asound'):
                if os.path.isdir('/proc/'+f): assert os.listdir('/proc/'+f)==[], f
            m=open('/proc/self/mountinfo').read(); assert '/var/' not in m and '/run/soulbox' not in m and 'cache' not in m, m
            refused(open,'/proc/sys/kernel/hostname','w')
            s='/proc/sysrq-trigger'; assert not os.path.exists(s) or os.stat(s).st_rdev==os.makedev(1,3), 'covered by the null device, or not there'
            g=open('/proc/self/cgroup').read(); assert 'soulbox' not in g, g
            """),
        Attack(
            73, "the environment",
            """
            assert set(os.environ)<= {'PATH','HOME','LANG','TMPDIR','PYTHONPATH','PYTHONDONTWRITEBYTECODE','PYTHONUNBUFFERED','OPENBLAS_NUM_THREADS','LC_CTYPE'}, os.environ
            """),
        Attack(74, "/sys", "assert not os.path.exists('/sys') or sum(len(f) for _,_,f in os.walk('/sys'))==0"),
        Attack(
            75, "abstract sockets and the network",
            """
            assert {l.split()[7] for l in open('/proc/net/unix').read().splitlines()[1:] if len(l.split())>7} <= {'/run/soulbox/control'}
            refused(socket.socket(socket.AF_UNIX,socket.SOCK_SEQPACKET).connect,'/run/soulbox/control')
            s=socket.socket(socket.AF_UNIX); refused(s.connect,b'\\0soulbox')
            t=socket.socket(); t.settimeout(1); refused(t.connect,('127.0.0.1',5432)); u=socket.socket(); u.settimeout(1); refused(u.connect,('169.254.169.254',80))
            a=socket.socket(); a.bind(('127.0.0.1',0)); a.listen(); b=socket.create_connection(a.getsockname())
            """),
    ]

    @Test("in a sandbox made for it", arguments: attacks)
    func holds(_ attack: Attack) throws {
        let run = try attack.run(on: .plain)
        #expect(run.output.hasSuffix("held\n"), "\(run)")
    }

    @Test("in a sandbox that stood ready, by an interpreter that waited", arguments: attacks)
    func holdsWhenReady(_ attack: Attack) throws {
        let run = try TestIsolator.pooled.ready { try attack.run(on: .pooled) }
        #expect(run.output.hasSuffix("held\n"), "\(run)")
    }
}
