"""Hello in Python, one after the other: SoulBox through nginx, the bare interpreter, and the peers."""

from __future__ import annotations

from .report import Row
from .samples import Samples
from .setup import Setup


def measure(setup: Setup) -> tuple[list[Row], dict[str, dict[str, float]]]:
    """The rows of the table, and p50, p95 and p99 by system."""
    sizes, request = setup.sizes, setup.client.execution("python")
    all_samples = {name: Samples() for name in ("SoulBox", "bare", *(peer.name for peer in setup.peers))}
    # Not counted: after it as many stand ready as one client takes, as on a server that has been up for a while.
    setup.client.load(request, count=sizes.hello_each)
    setup.stack.settle()
    counts = {peer.name: count_for(peer.starts(2).p50, sizes.hello_each) for peer in setup.peers}
    for _ in range(sizes.hello_rounds):
        all_samples["SoulBox"].add(setup.client.load(request, count=sizes.hello_each))
        setup.stack.settle()
        all_samples["bare"].add(setup.bare.starts("python", sizes.hello_each))
        for peer in setup.peers:
            all_samples[peer.name].add(peer.starts(counts[peer.name]))
    soulbox, bare = all_samples["SoulBox"], all_samples["bare"]
    failed = f"{soulbox.failed} failed" if soulbox.failed else ""
    rows = [
        Row("Python hello p50", soulbox.p50, "ms", bare.p50, "bare", at_most=0.35, note=failed),
        Row("Python hello p99", soulbox.p99, "ms", bare.p99, "bare", at_most=1.0),
    ]
    for peer in setup.peers:
        samples = all_samples[peer.name]
        rows.append(Row("Python hello p50", soulbox.p50, "ms", samples.p50, peer.name))
    figures = {
        name: {"p50": samples.p50, "p95": samples.quantile(0.95), "p99": samples.p99, "count": len(samples.took)}
        for name, samples in all_samples.items()
    }
    return rows, figures


def count_for(milliseconds: float, most: int) -> int:
    """As many starts in a round as fit into a third of a second, so that a slow peer holds nobody up."""
    return max(1, min(most, int(333 / milliseconds)))
