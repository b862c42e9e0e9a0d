"""Hello in the other languages, beside what their own tools take for it in the same root."""

from __future__ import annotations

from pathlib import Path

from .report import Row
from .samples import Samples
from .setup import Setup

# What a round does of each: bare runs, and requests of SoulBox's.
EACH = {"nodejs": 5, "java": 2, "go": 2, "rust": 2}
CACHED_EACH = 4

NAMES = {
    "nodejs": ("Node.js hello p50", "node main.js"),
    "java": ("Java hello p50", "java Main.java"),
    "go": ("Go hello p50", "build and run"),
    "rust": ("Rust hello p50", "build and run"),
}
FIRST_GOALS = {"nodejs": 0.2, "java": 0.35, "go": 1.0, "rust": 1.0}
CACHED_GOALS = {"java": None, "go": 0.1, "rust": 0.1}


def measure(setup: Setup) -> list[Row]:
    """A source that was never seen, where the language compiles; then the same source again."""
    first = {language: Samples() for language in EACH}
    cached = {language: Samples() for language in CACHED_GOALS}
    bare = {language: Samples() for language in EACH}
    for _ in range(setup.sizes.language_rounds):
        for language, count in EACH.items():
            setup.stack.settle()
            bare[language].add(setup.bare.starts(language, count))
            is_compiled = language in cached
            first[language].add(one_by_one(setup, setup.client.execution(language, is_new=is_compiled), count))
            if is_compiled:
                request = setup.client.execution(language)
                setup.client.load(request, count=1)
                cached[language].add(one_by_one(setup, request, CACHED_EACH))
    rows = []
    for language in EACH:
        name, tool = NAMES[language]
        if language in cached:
            name += ", a new source"
        rows.append(row(name, first[language], bare[language], tool, FIRST_GOALS[language]))
    for language, goal in CACHED_GOALS.items():
        name, tool = NAMES[language]
        rows.append(row(f"{name}, the same again", cached[language], bare[language], tool, goal))
    return rows


def one_by_one(setup: Setup, request: Path, count: int) -> Samples:
    return setup.client.load(request, count=count)


def row(name: str, ours: Samples, bare: Samples, tool: str, goal: float | None) -> Row:
    note = f"{ours.failed} failed" if ours.failed else ""
    return Row(name, ours.p50, "ms", bare.p50, tool, at_most=goal, note=note)
