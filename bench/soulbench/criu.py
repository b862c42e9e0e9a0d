"""CRIU by itself: a process of the host's, outside of any sandbox, dumped and restored by the same program that SoulBox runs."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from .host import BenchError, run

IMAGE = Path("/var/cache/soulbox/images/tools/current/rootfs")
LOADERS = ("usr/lib64/ld-linux-x86-64.so.2", "usr/lib/ld-linux-aarch64.so.1")
LIBRARIES = ("usr/lib/x86_64-linux-gnu", "usr/lib/aarch64-linux-gnu")


class Criu:
    """The tools image's CRIU, by that image's own loader."""

    def __init__(self, image: Path = IMAGE):
        loader = next((image / name for name in LOADERS if (image / name).exists()), None)
        program = image / "usr/sbin/criu"
        if loader is None or not program.exists():
            raise BenchError("the tools image is not built  → soulbox image build tools")
        libraries = ":".join(str(image / name) for name in LIBRARIES)
        self._command = [str(loader), "--library-path", libraries, str(program)]
        self.version = run([*self._command, "--version"]).stdout.split()[1]

    def run(self, verb: str, images: Path, *arguments: str) -> float:
        """One run of it, in seconds; the images are not made durable."""
        log = images / "log"
        begin = time.monotonic()
        done = run([*self._command, verb, "-D", str(images), "-o", "log", *arguments], check=False)
        took = time.monotonic() - begin
        if done.returncode != 0:
            errors = [line for line in log.read_text().splitlines() if "Error" in line] if log.exists() else []
            raise BenchError(f"criu {verb} failed: {errors[-1] if errors else done.stderr[-300:]}")
        return took


class HostProcess:
    """A program on the host that holds something, without a terminal."""

    def __init__(self, code: str, directory: Path):
        ready = directory / "ready"
        ready.unlink(missing_ok=True)
        # Its parent ends at once, so that CRIU, and not this program, is what its end matters to.
        words = ["setsid", "--fork", "/usr/bin/python3", "-c", code]
        with open(ready, "wb") as output:
            subprocess.run(words, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.DEVNULL, check=True)
        deadline = time.monotonic() + 30
        while not (text := ready.read_text().strip()):
            if time.monotonic() > deadline:
                raise BenchError("the process to dump does not start")
            time.sleep(0.01)
        self.pid = int(text)

    def end(self) -> None:
        """Kills it and waits until its pid is free: a restored one has the same."""
        try:
            os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        while Path(f"/proc/{self.pid}").exists():
            time.sleep(0.001)


def dump_and_restore(criu: Criu, code: str, directory: Path) -> tuple[float, float]:
    """How long a dump of a process that goes on takes, and the restore of a copy after its end."""
    images = directory / "images"
    shutil.rmtree(images, ignore_errors=True)
    images.mkdir(parents=True)
    process = HostProcess(code, directory)
    try:
        dumped = criu.run("dump", images, "--tree", str(process.pid), "--leave-running")
        process.end()
        restored = criu.run("restore", images, "--restore-detached")
        if not Path(f"/proc/{process.pid}").exists():
            raise BenchError("criu restored nothing")
        return dumped, restored
    finally:
        process.end()
        shutil.rmtree(images, ignore_errors=True)
