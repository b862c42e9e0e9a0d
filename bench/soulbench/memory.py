"""What a sandbox costs in memory while nothing happens in it."""

from __future__ import annotations

import time
from pathlib import Path

from .report import Row
from .setup import Setup
from .stack import Stack

IDLE = 50
# How long an interpreter waits in a new sandbox, in seconds, and a little more.
WAITING = 6
KIBIBYTE = 1024


def measure(setup: Setup) -> list[Row]:
    """Fifty idle sandboxes: their processes' shares of memory, and what the machine has less."""
    stack = setup.stack
    # What the first one makes the stack load is not what the fifty cost.
    setup.client.load(setup.client.creation(True), setup.client.deletion(), count=1)
    before = free(stack)
    made = setup.client.load(setup.client.creation(True), count=IDLE)
    # An interpreter that waits for a first execution ends when that does not come.
    time.sleep(WAITING)
    during = free(stack)
    own = stack.persistent()
    shares = shares_by_sandbox(stack.instance)
    charged = [charge for name, charge in stack.memory_charges().items() if name in own]
    stack.delete_sandboxes()
    after = free(stack)
    persistent = [share for name, share in shares.items() if name in own]
    ready = [share for name, share in shares.items() if name not in own]
    # Between the times before and after, since the machine's memory drifts by itself.
    less = {name: ((before[name] + after[name]) / 2 - during[name]) / IDLE for name in during}
    note = f"{len(persistent)} sandboxes" + (f", {made.failed} failed" if made.failed else "")
    name = "memory of an idle sandbox"
    rows = [
        Row(f"{name}, Pss", mean(persistent), "MiB", at_most=2, is_ratio=False, note=note),
        Row(f"{name}, its cgroup's count", mean(charged), "MiB", note="the kernel's part included"),
        Row(
            f"{name}, MemAvailable", less["MemAvailable"], "MiB", note=f"MemFree {less['MemFree']:.2f} MiB, with caches"
        ),
    ]
    if ready:
        note = f"{len(ready)} of all languages, {min(ready):.2f} to {max(ready):.0f} MiB, {sum(ready):.0f} together"
        rows.append(Row("memory of one in the ready pool, Pss", mean(ready), "MiB", note=note))
    return rows


def mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else float("nan")


def free(stack: Stack) -> dict[str, float]:
    """What is free and what is available, in MiB, when all is quiet."""
    stack.settle(quiet=2)
    lines = (line.split() for line in Path("/proc/meminfo").read_text().splitlines())
    values = {words[0].rstrip(":"): int(words[1]) / KIBIBYTE for words in lines}
    return {name: values[name] for name in ("MemFree", "MemAvailable")}


def shares_by_sandbox(instance: str) -> dict[str, float]:
    """The proportional set sizes of the processes of each sandbox, in MiB."""
    shares: dict[str, float] = {}
    mark = f"/soulbox-{instance}/sbx/"
    for process in Path("/proc").glob("[0-9]*"):
        try:
            groups = (process / "cgroup").read_text()
            if mark not in groups:
                continue
            name = groups.split(mark, 1)[1].split("\n", 1)[0].split("/", 1)[0]
            rollup = (process / "smaps_rollup").read_text()
        except (FileNotFoundError, ProcessLookupError):
            # It has ended meanwhile.
            continue
        share = next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
        shares[name] = shares.get(name, 0) + share / KIBIBYTE
    return shares
