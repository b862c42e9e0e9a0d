"""A PostgreSQL server of the benchmark's own, on disk, with a server's ordinary settings."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from .host import BenchError, run

# What an operator with a machine of this size would set; everything else is PostgreSQL's default, `fsync` too.
SETTINGS = {"shared_buffers": "1GB", "max_wal_size": "8GB", "checkpoint_timeout": "15min", "max_connections": "100"}


class Cluster:
    """A server that is made for one run and removed at its end."""

    def __init__(self, parent: Path):
        versions = sorted(Path("/usr/lib/postgresql").glob("*"), key=lambda path: int(path.name))
        if not versions:
            raise BenchError("PostgreSQL is not installed")
        self._programs = versions[-1] / "bin"
        self.version = versions[-1].name
        self.directory = Path(tempfile.mkdtemp(prefix="soulbox-reports-", dir=parent))
        self.url = f"host={self.directory} user=postgres dbname=postgres"

    def __enter__(self) -> Cluster:
        try:
            user = pwd.getpwnam("postgres")
            os.chown(self.directory, user.pw_uid, user.pw_gid)
            self.directory.chmod(0o755)
            data = str(self.directory / "data")
            self._as_postgres("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
            with open(self.directory / "data/postgresql.conf", "a") as file:
                file.write(f"listen_addresses = ''\nunix_socket_directories = '{self.directory}'\n")
                file.writelines(f"{name} = '{value}'\n" for name, value in SETTINGS.items())
            self._as_postgres("pg_ctl", "-D", data, "-w", "-l", str(self.directory / "log"), "start")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_) -> None:
        self._as_postgres("pg_ctl", "-D", str(self.directory / "data"), "-m", "immediate", "stop", check=False)
        shutil.rmtree(self.directory, ignore_errors=True)

    def _as_postgres(self, program: str, *arguments: str, check: bool = True) -> None:
        words = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", str(self._programs / program)]
        # To a file, since the server keeps what it is given.
        with open(os.devnull, "w") as nothing:
            run_quietly([*words, *arguments], nothing, check)

    def query(self, statement: str) -> str:
        """What a statement gives, as psql prints it without alignment."""
        words = ["psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1"]
        return run([*words, self.url, "--command", statement]).stdout.strip()

    def timed(self, statement: str) -> float:
        """How long a statement takes, in seconds."""
        begin = time.monotonic()
        self.query(statement)
        return time.monotonic() - begin


def run_quietly(words: list[str], output, check: bool) -> None:
    """Runs a program that may leave a server behind, which would hold pipes open."""
    code = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=output, stderr=output, timeout=120).returncode
    if check and code != 0:
        raise BenchError(f"{words[4]} failed ({code})")
