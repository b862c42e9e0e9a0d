"""What one run of the benchmark has at hand, and how much it measures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .bare import Bare
from .load import Client
from .peer import Peer
from .stack import Stack


@dataclass(frozen=True)
class Sizes:
    """How often each thing is done. Rounds are what is interleaved: every system has its turn in each."""

    hello_rounds: int = 25
    # Starts in a round; a tenth of SoulBox's for a peer ten times as slow, so that rounds stay short.
    hello_each: int = 20
    language_rounds: int = 12
    burst_rounds: int = 3
    bare_starts: int = 400
    peer_seconds: int = 3
    sustained_seconds: int = 30
    bare_seconds: int = 10
    creation_rounds: int = 8
    creation_each: int = 5
    many_rounds: int = 3
    control_rounds: int = 5
    control_seconds: int = 3


QUICK = Sizes(
    hello_rounds=6,
    language_rounds=3,
    burst_rounds=1,
    bare_starts=200,
    peer_seconds=1,
    sustained_seconds=10,
    bare_seconds=3,
    creation_rounds=3,
    many_rounds=1,
    control_rounds=2,
    control_seconds=1,
)

# How many executions a burst has, and how many sandboxes are made at once.
BURST = 400
MANY = 100


@dataclass
class Setup:
    """The systems of one run."""

    stack: Stack
    client: Client
    bare: Bare
    peers: list[Peer]
    sizes: Sizes
    directory: Path
