"""Programs without SoulBox: the same root, interpreter and files, and nothing around them."""

from __future__ import annotations

import shutil
from pathlib import Path

from .host import TOOLS, run
from .programs import OUTPUT, Program, load
from .samples import Samples

# Mounts of a namespace of its own, gone with its last process. `starts` runs inside the root, as the user that programs
# of SoulBox's are, so that nothing but the program's own start is timed.
ENTER = """
set -e
root=$1 files=$2
shift 2
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount --bind -o ro "$files" "$root/workspace"
exec /usr/sbin/chroot --userspec=1000:1000 --groups= "$root" /usr/bin/env -C /workspace ./starts "$@"
"""


class Bare:
    """Starts programs in the roots of their images."""

    def __init__(self, directory: Path):
        self._directory = directory
        self._programs: dict[str, Program] = {}

    def program(self, language: str) -> Program:
        """The program of a language; its file lies in a directory of its own beside `starts`."""
        if language not in self._programs:
            program = load(language)
            files = self.files(language)
            files.mkdir(parents=True)
            shutil.copy(TOOLS / "starts", files)
            (files / program.file).write_text(program.source)
            self._programs[language] = program
        return self._programs[language]

    def files(self, language: str) -> Path:
        """What the programs of a language see as `/workspace`."""
        return self._directory / language

    def starts(self, language: str, count: int, parallel: int = 1, seconds: int = 120) -> Samples:
        """Starts a language's program, after its compiler where it has one."""
        program = self.program(language)
        arguments = [word for command in program.commands for word in [*command, "--then"]][:-1]
        enter = ["/usr/bin/unshare", "--mount", "--propagation", "private", "/bin/bash", "-c", ENTER, "bare"]
        places = [str(program.root), str(self.files(language))]
        load = [str(count), str(parallel), str(seconds), OUTPUT]
        return Samples.parse(run([*enter, *places, *load, *arguments], env=program.environment).stdout)


def starts_of(arguments: list[str], count: int, parallel: int, seconds: int, **options) -> Samples:
    """Starts any program of the host's."""
    load = [str(TOOLS / "starts"), str(count), str(parallel), str(seconds), OUTPUT]
    return Samples.parse(run([*load, *arguments], **options).stdout)
