"""Other sandboxes: each runs the same program in the same read-only root, with limits as close as it takes them."""

from __future__ import annotations

import json
import os
from pathlib import Path

from . import host
from .bare import Bare, starts_of
from .programs import ENVIRONMENT, OUTPUT, PLAIN
from .samples import Samples

MEMORY = 256 << 20
PROCESSES = 128
CGROUPS = Path("/sys/fs/cgroup")
# Ids of the host's for the peers' users; what they read is readable for all.
USER = "100000"


class Peer:
    """One of them: its name, what it isolates, and the command of one start."""

    name = ""
    isolation = ""

    def __init__(self, bare: Bare, directory: Path):
        program = bare.program("python")
        self.root = str(program.root)
        self.files = str(bare.files("python"))
        self.directory = directory / self.name
        self.directory.mkdir(mode=0o755)
        self.environment = dict(os.environ)
        self.command = self.prepare()

    def prepare(self) -> list[str]:
        raise NotImplementedError

    def starts(self, count: int, parallel: int = 1, seconds: int = 120) -> Samples:
        return starts_of(self.command, count, parallel, seconds, env=self.environment, cwd=self.directory)

    def close(self) -> None:
        """Removes what it has left on the host."""


class Bubblewrap(Peer):
    name = "bubblewrap"
    isolation = "namespaces with a user namespace; no limits, no cgroup, no seccomp filter"

    def prepare(self) -> list[str]:
        # As nobody: of root's bubblewrap the program would be root towards the host's files.
        user = ["/usr/bin/setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"]
        mounts = ["--ro-bind", self.root, "/", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]
        mounts += ["--ro-bind", self.files, "/workspace", "--chdir", "/workspace", "--clearenv"]
        variables = [word for item in ENVIRONMENT.items() for word in ("--setenv", *item)]
        flags = ["--unshare-all", "--die-with-parent", "--new-session", "--uid", "1000", "--gid", "1000"]
        return [*user, "/usr/bin/bwrap", *flags, *mounts, *variables, *PLAIN["python"]]


class Nsjail(Peer):
    name = "nsjail"
    isolation = "namespaces with a user namespace, cgroups (v1) of memory, pids and cpu, rlimits; no seccomp filter"

    def prepare(self) -> list[str]:
        program = str(host.nsjail())
        self.group = f"soulbox-bench-{os.getpid()}"
        for controller in ("memory", "pids", "cpu"):
            (CGROUPS / controller / self.group).mkdir()
        groups = ["--cgroup_mem_max", str(MEMORY), "--cgroup_mem_parent", self.group]
        groups += ["--cgroup_pids_max", str(PROCESSES), "--cgroup_pids_parent", self.group]
        groups += ["--cgroup_cpu_ms_per_sec", "1000", "--cgroup_cpu_parent", self.group]
        user = ["--user", f"1000:{USER}:1", "--group", f"1000:{USER}:1"]
        mounts = ["--chroot", self.root, "-R", f"{self.files}:/workspace", "-T", "/tmp", "--cwd", "/workspace"]
        rlimits = ["--rlimit_as", "inf", "--rlimit_fsize", "128", "--rlimit_nofile", "1024", "--nice_level", "0"]
        variables = [word for name, value in ENVIRONMENT.items() for word in ("-E", f"{name}={value}")]
        return [program, "-Mo", "-Q", *user, *mounts, *rlimits, *groups, *variables, "--", *PLAIN["python"]]

    def close(self) -> None:
        for controller in ("memory", "pids", "cpu"):
            group = CGROUPS / controller / self.group
            for left in [*group.glob("NSJAIL*"), group]:
                left.rmdir()


class Runc(Peer):
    name = "runc"
    isolation = "namespaces with a user namespace, cgroups (v1) of memory, pids, cpu and devices; no seccomp filter"

    def prepare(self) -> list[str]:
        host.run(["runc", "spec", "--bundle", str(self.directory)])
        path = self.directory / "config.json"
        spec = json.loads(path.read_text())
        spec["root"] = {"path": self.root, "readonly": True}
        spec["process"] |= {
            "terminal": False,
            "args": PLAIN["python"],
            "cwd": "/workspace",
            "user": {"uid": 1000, "gid": 1000},
            "env": [f"{name}={value}" for name, value in ENVIRONMENT.items()],
            "capabilities": {},
        }
        files = {"destination": "/workspace", "type": "bind", "source": self.files, "options": ["bind", "ro"]}
        temporary = {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "nodev"]}
        kept = [mount for mount in spec["mounts"] if mount["destination"] != "/sys/fs/cgroup"]
        spec["mounts"] = [*kept, temporary, files]
        linux = spec["linux"]
        linux["resources"] |= {
            "memory": {"limit": MEMORY},
            "pids": {"limit": PROCESSES},
            "cpu": {"quota": 100_000, "period": 100_000},
        }
        linux["namespaces"] += [{"type": "user"}, {"type": "cgroup"}]
        linux["uidMappings"] = linux["gidMappings"] = [{"containerID": 0, "hostID": int(USER), "size": 65536}]
        path.write_text(json.dumps(spec))
        state = ["--root", str(self.directory / "state")]
        return ["/usr/sbin/runc", *state, "run", f"soulbox-bench-{os.getpid()}-{{n}}"]


class Podman(Peer):
    name = "podman"
    isolation = "runc's without a user namespace, and a seccomp filter; a monitor process for each container"

    def prepare(self) -> list[str]:
        # Limits of its own choice would be above the host's where root may not raise any; crun insists on more still.
        configuration = self.directory / "containers.conf"
        configuration.write_text(
            '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]\n'
            '[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\nevents_logger = "none"\n'
        )
        self.environment["CONTAINERS_CONF"] = str(configuration)
        places = {"--root": "storage", "--runroot": "run", "--tmpdir": "tmp"}
        store = [word for flag, name in places.items() for word in (flag, str(self.directory / name))]
        limits = ["--memory", str(MEMORY), "--pids-limit", str(PROCESSES), "--cpus", "1", "--network", "none"]
        user = ["--user", "1000:1000", "--cap-drop", "all", "--security-opt", "no-new-privileges"]
        mounts = ["--read-only", "--read-only-tmpfs=false", "--tmpfs", "/tmp", "--volume", f"{self.files}:/workspace:ro"]
        variables = [word for name, value in ENVIRONMENT.items() for word in ("--env", f"{name}={value}")]
        run = ["run", "--rm", "--log-driver", "none", "--workdir", "/workspace", *limits, *user, *mounts, *variables]
        return ["/usr/bin/podman", *store, "--storage-driver", "vfs", *run, "--rootfs", self.root, *PLAIN["python"]]


def available(bare: Bare, directory: Path) -> tuple[list[Peer], dict[str, str]]:
    """Those that run here, and why the others do not."""
    peers: list[Peer] = []
    # Its package of PyPI is a client without the server's binary, which it would fetch from elsewhere.
    missing = {"go-judge": "PyPI's go-judge brings no binary, and Debian has none"}
    for kind in (Bubblewrap, Nsjail, Runc, Podman):
        peer = None
        try:
            peer = kind(bare, directory)
            peer.starts(2)
            peers.append(peer)
        except (host.BenchError, OSError) as error:
            missing[kind.name] = str(error)
            if peer is not None:
                peer.close()
    return peers, missing
