"""What a load measured: when each item began and how long it took."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Samples:
    """The items of one or more loads, in microseconds."""

    began: list[int] = field(default_factory=list)
    took: list[int] = field(default_factory=list)
    failed: int = 0

    @classmethod
    def parse(cls, text: str) -> Samples:
        """Reads the lines that client and starts print."""
        samples = cls()
        for line in text.splitlines():
            began, took = map(int, line.split())
            if took < 0:
                samples.failed += 1
                continue
            samples.began.append(began)
            samples.took.append(took)
        return samples

    def add(self, other: Samples) -> None:
        """Takes in another round of the same load."""
        self.began += other.began
        self.took += other.took
        self.failed += other.failed

    def quantile(self, fraction: float) -> float:
        """The nearest-rank quantile, in milliseconds."""
        if not self.took:
            return float("nan")
        ordered = sorted(self.took)
        return ordered[min(len(ordered) - 1, int(fraction * len(ordered)))] / 1000

    @property
    def p50(self) -> float:
        return self.quantile(0.5)

    @property
    def p99(self) -> float:
        return self.quantile(0.99)

    @property
    def seconds(self) -> float:
        """From the first item's beginning to the last one's end."""
        if not self.took:
            return float("nan")
        return (max(map(sum, zip(self.began, self.took, strict=True))) - min(self.began)) / 1e6

    @property
    def rate(self) -> float:
        """Items a second; of one load only."""
        return len(self.took) / self.seconds
