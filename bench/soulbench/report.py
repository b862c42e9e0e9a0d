"""Rows of figures: as a table for people, and as a file."""

from __future__ import annotations

import json
import math
import os
import platform
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass
class Row:
    """One figure of SoulBox's, what stands beside it, and the goal of the figure or of their ratio."""

    measure: str
    value: float
    unit: str
    beside: float | None = None
    beside_name: str = ""
    at_most: float | None = None
    at_least: float | None = None
    # Whether the goal is one of the ratio, and not of the value.
    is_ratio: bool = True
    note: str = ""

    @property
    def ratio(self) -> float | None:
        return self.value / self.beside if self.beside else None

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is met; None without a goal."""
        figure = self.ratio if self.is_ratio else self.value
        if figure is None or (self.at_most is None and self.at_least is None):
            return None
        if math.isnan(figure):
            return False
        return figure <= self.at_most if self.at_most is not None else figure >= self.at_least

    @property
    def cells(self) -> tuple[str, ...]:
        goal = ""
        if self.at_most is not None or self.at_least is not None:
            sign, bound = ("≤", self.at_most) if self.at_most is not None else ("≥", self.at_least)
            goal = f"{sign} {bound:g}" + ("" if self.is_ratio else f" {self.unit}")
        beside = "" if self.beside is None else f"{number(self.beside)} {self.unit}  {self.beside_name}"
        met = {None: "", True: "met", False: "NOT MET"}[self.is_met]
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        return self.measure, f"{number(self.value)} {self.unit}", beside, ratio, goal, met, self.note


def number(value: float) -> str:
    """Three figures that mean something."""
    if math.isnan(value):
        return "–"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


HEAD = ("measure", "SoulBox", "beside it", "ratio", "goal", "", "")


def show(rows: list[Row]) -> None:
    """Prints the table."""
    lines = [HEAD, *(row.cells for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    for index, line in enumerate(lines):
        cells = [
            cell.rjust(width) if column in (1, 3) else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())
        if index == 0:
            print("─" * (sum(widths[:-1]) + 2 * len(widths)))


def show_systems(document: dict) -> None:
    """Prints what each peer isolates, with its times, and why others are not there."""
    print()
    for name, isolation in document["peers"].items():
        figures = document.get("hello", {}).get(name)
        times = "p50 {p50:.1f}, p95 {p95:.1f}, p99 {p99:.1f} ms".format(**figures) if figures else ""
        print(f"{name:11} {times:42} {isolation}")
    for name, reason in document["left_out"].items():
        print(f"{name:11} left out: {reason}")


def machine() -> dict[str, str | int]:
    """What the figures were measured on."""
    names = [line.split(":")[1].strip() for line in Path("/proc/cpuinfo").open() if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": names[0] if names else platform.machine(),
        "cores": os.cpu_count() or 0,
        "memory_mib": memory >> 20,
        "kernel": platform.release(),
    }


def save(path: Path, document: dict, rows: list[Row]) -> None:
    """Writes everything that was measured."""
    figures = [asdict(row) | {"ratio": row.ratio, "met": row.is_met} for row in rows]
    path.write_text(json.dumps(document | {"rows": figures}, indent=1, allow_nan=True) + "\n")
