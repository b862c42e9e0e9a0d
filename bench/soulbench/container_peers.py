"""Peers that run containers: runc, and podman above it."""

from __future__ import annotations

import json
import os

from .host import run
from .peer import MEMORY, PROCESSES, USER, Peer
from .programs import ENVIRONMENT, PLAIN


class Runc(Peer):
    name = "runc"
    isolation = "namespaces with a user namespace, cgroups (v1) of memory, pids, cpu and devices; no seccomp filter"

    def prepare(self) -> list[str]:
        run(["runc", "spec", "--bundle", str(self.directory)])
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
    isolation = "runc's without a user namespace, a seccomp filter, an overlay; a monitor process for each container"

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
        mounts = ["--read-only", "--read-only-tmpfs=false", "--tmpfs", "/tmp"]
        mounts += ["--volume", f"{self.files}:/workspace:ro"]
        variables = [word for name, value in ENVIRONMENT.items() for word in ("--env", f"{name}={value}")]
        once = ["run", "--rm", "--log-driver", "none", "--workdir", "/workspace", *limits, *user, *mounts, *variables]
        # As an overlay: even for a read-only root podman puts files of its own into it.
        root = ["--rootfs", f"{self.root}:O"]
        return ["/usr/bin/podman", *store, "--storage-driver", "vfs", *once, *root, *PLAIN["python"]]
