"""Peers that make a sandbox and become the program: bubblewrap and nsjail."""

from __future__ import annotations

import os
from pathlib import Path

from .host import BenchError, nsjail
from .peer import MEMORY, PROCESSES, USER, Peer
from .programs import ENVIRONMENT, PLAIN

CGROUPS = Path("/sys/fs/cgroup")


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
        program = str(nsjail())
        if not (CGROUPS / "memory").is_dir():
            raise BenchError("its limits are set up here for cgroup v1 alone, which this host does not have")
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
