"""A SoulBox of the benchmark's own: started for one run, and removed with all that it has made."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import time
from pathlib import Path

from .host import RELEASE, BenchError, free_port, run

# Where sandboxes have their memory counted: cgroup v1, or v2.
CGROUPS = Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup")


class Stack:
    """The stack under test."""

    def __init__(self, directory: Path, database: str = "", configuration: str = ""):
        self.home = directory / "home"
        self.port = free_port()
        tls_port = free_port()
        self._environment = os.environ | {
            "SOULBOX_HOME": str(self.home),
            "SOULBOX_HTTP_PORT": str(self.port),
            "SOULBOX_HTTPS_PORT": str(tls_port),
        }
        # The benchmark's cluster is a private one, whatever the caller's shell says.
        self._environment.pop("DATABASE_URL", None)
        if database:
            self._environment["DATABASE_URL"] = database
        if configuration:
            self.home.mkdir(parents=True)
            (self.home / "soulbox.yml").write_text(configuration)
        self.key = ""

    def __enter__(self) -> Stack:
        try:
            self.soulbox("up", "--detach")
            self.key = self.make_key("bench", "standard=0", "execution=0", "upload=0")
            account = self.request("GET", "/api/account")
            quotas = dict.fromkeys(account["quotas"])
            self.request("PUT", f"/api/accounts/{account['account_id']}", {"quotas": quotas})
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, *_) -> None:
        self.remove()

    def remove(self) -> None:
        """Ends the stack and removes its data."""
        data = (self.home / "data").resolve()
        self.soulbox("down", check=False)
        if data.is_relative_to("/var/lib/soulbox") and data.name == self.instance:
            shutil.rmtree(data, ignore_errors=True)
            shutil.rmtree(f"/run/soulbox/{data.name}", ignore_errors=True)

    def soulbox(self, *arguments: str, check: bool = True) -> str:
        """The operator's command, for this instance."""
        # The stack's own copy, once there is one: a build may replace the other meanwhile.
        own = self.home / "bin/soulbox"
        program = own if own.exists() else RELEASE / "soulbox"
        return run([str(program), *arguments], check=check, env=self._environment).stdout.strip()

    def make_key(self, name: str, *limits: str) -> str:
        """An API key that may do everything."""
        words = [word for limit in limits for word in ("--rate-limit", limit)]
        return self.soulbox("api-key", "create", "--name", name, "--permissions", "all", "--quiet", *words)

    def request(self, method: str, path: str, body: object = None) -> dict:
        """One request that is not measured."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        headers = {"X-API-Key": self.key, "Content-Type": "application/json"}
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        if answer.status >= 300:
            raise BenchError(f"{method} {path} {body or ''} answered {answer.status}: {text}")
        return json.loads(text) if text else {}

    @property
    def instance(self) -> str:
        """The name that stands in every resource of this instance's."""
        return Path(os.readlink(self.home / "data")).name

    def sandboxes(self) -> set[str]:
        """The names of all sandboxes that have cgroups, those that stand ready too."""
        return {group.name for group in self._groups()}

    def persistent(self) -> set[str]:
        """The names of the cgroups of persistent sandboxes that run: one that stood ready keeps the name it had."""
        runs = (self.home / "data/sandboxes").glob("*/run.json")
        return {json.loads(run.read_text())["group"] for run in runs}

    def memory_charges(self) -> dict[str, float]:
        """What the kernel counts for each sandbox, in MiB."""
        charges = {}
        for group in self._groups():
            counts = [group / name for name in ("memory.usage_in_bytes", "memory.current") if (group / name).exists()]
            charges[group.name] = int(counts[0].read_text()) / (1 << 20)
        return charges

    def _groups(self) -> list[Path]:
        tops = (tree / f"soulbox-{self.instance}/sbx" for tree in CGROUPS)
        top = next((top for top in tops if top.is_dir()), None)
        return [entry for entry in top.iterdir() if entry.is_dir()] if top else []

    def settle(self, quiet: float = 0.3, patience: float = 20) -> None:
        """Waits until no sandbox is made or removed any more, so that a ready pool that fills slows nobody down."""
        deadline = time.monotonic() + patience
        before, since = self.sandboxes(), time.monotonic()
        while time.monotonic() < deadline and time.monotonic() - since < quiet:
            time.sleep(0.05)
            now = self.sandboxes()
            if now != before:
                before, since = now, time.monotonic()

    def delete_sandboxes(self) -> None:
        """Deletes all persistent sandboxes."""
        while listed := self.request("GET", "/api/sandboxes?limit=1000")["sandboxes"]:
            for sandbox in listed:
                self.request("DELETE", f"/api/sandboxes/{sandbox['sandbox_id']}?force=true")
