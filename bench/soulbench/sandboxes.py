"""Sandboxes that stay: from the request to make one to the first output of a program in it."""

from __future__ import annotations

from .report import Row
from .samples import Samples
from .setup import MANY, Setup


def measure(setup: Setup) -> list[Row]:
    """One after the other, both ways; then a hundred at once. All are deleted, outside of the time."""
    client, sizes = setup.client, setup.sizes
    waits, first_output, deletion = (True, False), client.first_output(), client.deletion()
    creations = {wait: client.creation(wait) for wait in waits}
    single = {wait: Samples() for wait in waits}
    for _ in range(sizes.creation_rounds):
        for wait, samples in single.items():
            steps = creations[wait], first_output, deletion
            samples.add(client.load(*steps, count=sizes.creation_each, timed=2))
            setup.stack.settle()
    many = Samples()
    for _ in range(sizes.many_rounds):
        many.add(client.load(creations[True], first_output, count=MANY, connections=MANY))
        setup.stack.delete_sandboxes()
        setup.stack.settle()
    return [
        row("sandbox made, then executed in, p50", single[True], 25, "wait=true"),
        row("sandbox made, then executed in, p50", single[False], 25, "without wait"),
        row(f"{MANY} sandboxes at once, p50", many, 500, f"p99 {many.p99:.0f} ms, {many.failed} failed"),
    ]


def row(name: str, samples: Samples, goal: float, note: str) -> Row:
    # One that failed has no time, and must not make the goal easier.
    value = float("nan") if samples.failed else samples.p50
    return Row(name, value, "ms", at_most=goal, is_ratio=False, note=note)
