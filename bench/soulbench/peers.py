"""Which peers run on this machine."""

from __future__ import annotations

from pathlib import Path

from .bare import Bare
from .container_peers import Podman, Runc
from .host import BenchError
from .peer import Peer
from .small_peers import Bubblewrap, Nsjail


def available(bare: Bare, directory: Path) -> tuple[list[Peer], dict[str, str]]:
    """Those that run here, and why the others do not."""
    peers: list[Peer] = []
    # Its package of PyPI is a client without the server's binary, which it would fetch from elsewhere.
    missing = {"go-judge": "PyPI's go-judge brings no binary, and Debian has none"}
    for kind in (Bubblewrap, Nsjail, Runc, Podman):
        peer = None
        try:
            peer = kind(bare, directory)
            peer.starts(2)
            peers.append(peer)
        except (BenchError, OSError) as error:
            missing[kind.name] = str(error)
            if peer is not None:
                peer.close()
    return peers, missing
