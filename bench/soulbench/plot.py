"""The picture: how long one hello takes by system, and how many a second by how many come at once."""

from __future__ import annotations

import math
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

INK, GREY = "#1f2430", "#8a8f9c"
COLOURS = {
    "SoulBox": "#d1495b",
    "bare": "#1f2430",
    "bubblewrap": "#2e86ab",
    "nsjail": "#3a9d6e",
    "runc": "#e09f3e",
    "podman": "#8e6bbf",
}


def draw(path: Path, title: str, hello: dict[str, dict[str, float]], curves: dict[str, dict[int, float]]) -> None:
    """Writes the picture; a system all of whose starts have failed is not in it."""
    hello = {name: figures for name, figures in hello.items() if figures["count"]}
    curves = {name: curve for name, curve in curves.items() if not any(map(math.isnan, curve.values()))}
    plt.rcParams.update({"font.size": 11, "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": GREY})
    figure, (left, right) = plt.subplots(1, 2, figsize=(14, 6), dpi=110)
    bars(left, hello)
    lines(right, curves)
    figure.suptitle(title, fontsize=10, color=GREY, x=0.01, y=0.02, ha="left", va="bottom")
    figure.tight_layout(rect=(0, 0.04, 1, 1), w_pad=3)
    figure.savefig(path)
    plt.close(figure)


def bars(axes: plt.Axes, hello: dict[str, dict[str, float]]) -> None:
    """One bar for the median, a lighter one to the 99th percentile, by system, the fastest on top."""
    names = sorted(hello, key=lambda name: -hello[name]["p50"])
    for place, name in enumerate(names):
        p50, p99 = hello[name]["p50"], hello[name]["p99"]
        axes.barh(place, p99, color=COLOURS[name], alpha=0.3, height=0.62)
        axes.barh(place, p50, color=COLOURS[name], height=0.62)
        axes.text(p99 * 1.06, place, f"{p50:.1f}  /  {p99:.1f}", va="center", fontsize=10)
    axes.set_yticks(range(len(names)), names)
    axes.set_xscale("log")
    axes.set_xlim(1, max(item["p99"] for item in hello.values()) * 6)
    axes.xaxis.set_major_formatter(matplotlib.ticker.ScalarFormatter())
    axes.set_xlabel("milliseconds, logarithmic: p50 (full) and p99 (light)")
    axes.set_title("Hello in Python, one after the other", loc="left", fontsize=13, fontweight="bold")
    plain(axes, "x")


def lines(axes: plt.Axes, curves: dict[str, dict[int, float]]) -> None:
    """One line a system, its name at the end."""
    levels = sorted({level for curve in curves.values() for level in curve})
    places = spread({name: curve[max(curve)] for name, curve in curves.items()})
    for name, place in zip(curves, places, strict=True):
        measured = sorted(curves[name])
        rates = [curves[name][level] for level in measured]
        width = 3 if name == "SoulBox" else 1.8
        axes.plot(measured, rates, color=COLOURS[name], linewidth=width, marker="o", markersize=5)
        axes.text(measured[-1] * 1.12, place, f"{name}  {rates[-1]:.0f}", color=COLOURS[name], va="center")
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xticks(levels, [str(level) for level in levels])
    axes.set_xlim(levels[0] * 0.9, levels[-1] * 3)
    lowest = min(rate for curve in curves.values() for rate in curve.values())
    highest = max(*places, *(rate for curve in curves.values() for rate in curve.values()))
    axes.set_ylim(lowest / 1.5, highest * 1.3)
    axes.minorticks_off()
    axes.yaxis.set_major_formatter(matplotlib.ticker.ScalarFormatter())
    axes.set_yticks([tick for tick in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000) if lowest / 1.5 < tick < highest])
    axes.set_xlabel("at once")
    axes.set_title("Hellos a second", loc="left", fontsize=13, fontweight="bold")
    plain(axes, "y")


def spread(ends: dict[str, float]) -> list[float]:
    """Where the names stand: at the ends of their lines, but not over each other."""
    places: dict[str, float] = {}
    lowest = 0.0
    for name in sorted(ends, key=lambda name: ends[name]):
        places[name] = lowest = max(ends[name], lowest * 1.22)
    return [places[name] for name in ends]


def plain(axes: plt.Axes, grid: str) -> None:
    axes.grid(axis=grid, color="#e4e6eb", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0)
    for side in ("top", "right", "left" if grid == "x" else "bottom"):
        axes.spines[side].set_visible(False)
