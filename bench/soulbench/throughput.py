"""Executions a second: bursts by how many come at once, and what holds for half a minute."""

from __future__ import annotations

from statistics import median

from .report import Row
from .samples import Samples
from .setup import BURST, MANY, Setup

LEVELS = (1, 4, 16, 64)
# Bare starts are compared where the machine does most of them; a burst comes over this many connections.
BARE_LEVEL, BURST_LEVEL = 4, 16
# A peer's turn has so many starts at most. One that does fewer a second than this is not asked for all it could do at
# once: the machine would be busy with it for long, and the peer no faster.
PEER_STARTS, SLOW = 200, 10

Curves = dict[str, dict[int, float]]


def first_burst(setup: Setup) -> list[Row]:
    """A burst that meets the ready pool as it stands when nobody has asked for anything: the first load of a run."""
    bare = setup.bare.starts("python", BURST, BARE_LEVEL)
    burst = burst_of(setup, BURST_LEVEL)
    note = "the ready pool at its minimum" + told(burst)
    return [Row(f"burst of {BURST}, the first", burst.rate, "/s", bare.rate, "bare, 4 at once", note=note)]


def bursts(setup: Setup) -> tuple[list[Row], Curves]:
    """Bursts of all systems; the figures are the medians of the rounds."""
    curves: dict[str, dict[int, list[float]]] = {}
    times = {level: Samples() for level in LEVELS}

    def note(name: str, level: int, samples: Samples) -> None:
        curves.setdefault(name, {}).setdefault(level, []).append(samples.rate)

    for round_number in range(setup.sizes.burst_rounds):
        for level in LEVELS:
            setup.stack.settle()
            note("bare", level, setup.bare.starts("python", setup.sizes.bare_starts, level))
            burst = burst_of(setup, level)
            times[level].add(burst)
            note("SoulBox", level, burst)
            setup.stack.settle()
            for peer in setup.peers if round_number == 0 else []:
                known = curves.get(peer.name, {}).values()
                if level <= BURST_LEVEL or max(rates[0] for rates in known) >= SLOW:
                    note(peer.name, level, peer.starts(PEER_STARTS, level, setup.sizes.peer_seconds))
    figures = {name: {level: median(rates) for level, rates in curve.items()} for name, curve in curves.items()}
    rate, failed = figures["SoulBox"][BURST_LEVEL], sum(samples.failed for samples in times.values())
    rows = [
        Row(
            f"burst of {BURST}",
            rate,
            "/s",
            figures["bare"][BARE_LEVEL],
            "bare, 4 at once",
            at_least=2.5,
            note=f"{BURST_LEVEL} connections" + (f", {failed} failed" if failed else ""),
        )
    ]
    for level in LEVELS:
        note = f"p50 {times[level].p50:.1f} ms, p99 {times[level].p99:.1f} ms"
        name, bare = f"burst of {BURST}, {level} at once", f"bare, {level} at once"
        rows.append(Row(name, figures["SoulBox"][level], "/s", figures["bare"][level], bare, note=note))
    return rows, figures


def sustained(setup: Setup) -> list[Row]:
    """A steady load, and bare starts before and after it."""
    sizes = setup.sizes

    def bare() -> float:
        setup.stack.settle()
        return setup.bare.starts("python", 100_000, BARE_LEVEL, sizes.bare_seconds).rate

    before = bare()
    request = setup.client.execution("python")
    load = setup.client.load(request, count=100_000, connections=BURST_LEVEL, seconds=sizes.sustained_seconds)
    beside = (before + bare()) / 2
    name = f"sustained for {sizes.sustained_seconds} s"
    note = f"{BURST_LEVEL} connections, p50 {load.p50:.0f} ms, p99 {load.p99:.0f} ms" + told(load)
    return [Row(name, load.rate, "/s", beside, "bare, 4 at once", at_least=1.7, note=note)]


def many_at_once(setup: Setup) -> list[Row]:
    """A hundred executions in the same moment."""
    ours, bare = Samples(), Samples()
    for _ in range(setup.sizes.many_rounds):
        setup.stack.settle()
        bare.add(setup.bare.starts("python", MANY, MANY))
        ours.add(burst_of(setup, MANY, MANY))
    rows = [Row(f"{MANY} executions at once, p50", ours.p50, "ms", bare.p50, "bare", note=told(ours)[2:])]
    return [*rows, Row(f"{MANY} executions at once, p99", ours.p99, "ms", bare.p99, "bare")]


def burst_of(setup: Setup, connections: int, count: int = BURST) -> Samples:
    return setup.client.load(setup.client.execution("python"), count=count, connections=connections)


def told(samples: Samples) -> str:
    return f", {samples.failed} failed" if samples.failed else ""
