"""Requests to the stack, sent and timed by the C client."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from .host import TOOLS, run
from .programs import OUTPUT, SOURCES
from .samples import Samples
from .stack import Stack

# How the answer of an execution shows what the program wrote.
SHOWN = f'"output":{json.dumps(OUTPUT + chr(10))}'

COMMENTS = {"python": "#", "nodejs": "//", "go": "//", "rust": "//", "java": "//"}


class Client:
    """Makes requests ready and sends them."""

    def __init__(self, stack: Stack, directory: Path):
        self._stack = stack
        self._directory = directory
        self._directory.mkdir()
        self._files: dict[str, Path] = {}
        self._items = 0
        self._shown: set[Path] = set()

    def request(self, method: str, path: str, body: object, status: int, expected: str) -> Path:
        """A request as it is sent, with what its answer must be and hold."""
        text = "" if body is None else json.dumps(body)
        head = [
            f"{method} {path} HTTP/1.1",
            f"Host: 127.0.0.1:{self._stack.port}",
            f"X-API-Key: {self._stack.key}",
            "Content-Type: application/json",
            f"Content-Length: {len(text)}",
        ]
        step = f"{status} {expected}\n" + "\r\n".join([*head, "", text])
        if step not in self._files:
            self._files[step] = self._directory / f"{len(self._files)}"
            self._files[step].write_text(step, newline="")
        return self._files[step]

    def execution(self, language: str, is_new: bool = False) -> Path:
        """A request to run the hello of a language; a new one has a source that no request before it had."""
        code = SOURCES[language]
        if is_new:
            code += f"{COMMENTS[language]} {{number}}\n"
        return self.request("POST", "/api/execute", {"language": language, "code": code}, 200, SHOWN)

    def creation(self, wait: bool) -> Path:
        """A request for a sandbox that stays."""
        path = "/api/sandboxes?wait=true" if wait else "/api/sandboxes"
        return self.request("POST", path, {"runtime": "python"}, 201, '"sandbox_id"')

    def first_output(self) -> Path:
        """Runs the hello in the sandbox that the request before has made."""
        return self.request("POST", "/api/sandboxes/{sandbox}/execute", {"code": SOURCES["python"]}, 200, SHOWN)

    def deletion(self) -> Path:
        """Deletes that sandbox."""
        return self.request("DELETE", "/api/sandboxes/{sandbox}?force=true", None, 200, '"deleted"')

    def load(
        self, *steps: Path, count: int, connections: int = 1, seconds: int = 120, timed: int | None = None
    ) -> Samples:
        """Sends the steps `count` times and says how long the first `timed` of them took."""
        port, first = str(self._stack.port), str(self._items)
        self._items += count
        numbers = [port, str(connections), str(count), str(seconds), first, str(timed or len(steps))]
        done = run([str(TOOLS / "client"), *numbers, *map(str, steps)])
        if done.stderr and not self._shown.issuperset(steps):
            # One failure of each kind is enough to see what is wrong; all are counted.
            print(done.stderr, end="", file=sys.stderr, flush=True)
            self._shown.update(steps)
        return Samples.parse(done.stdout)
