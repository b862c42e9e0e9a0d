"""What a peer is: another sandbox that runs the same program in the same read-only root."""

from __future__ import annotations

import os
from pathlib import Path

from .bare import Bare, starts_of
from .samples import Samples

# SoulBox's limits of a request that names none; a whole core is the third.
MEMORY = 256 << 20
PROCESSES = 128

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
