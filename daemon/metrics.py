"""Figures for Prometheus, as the text that node_exporter's textfile collector reads. Owns prometheus-client (its one door).

Counters begin at 0 with each start of the daemon, as Prometheus expects. Refuses files: `daemon.bulletin` writes the text.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterable, Mapping

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

from daemon.health import CODES

disable_created_metrics()  # type: ignore[no-untyped-call]
_SECONDS = (0.5, 1, 2, 3, 5, 8, 13, 20, 30, 60, 120, 300)


class Metrics:
    """All figures of one daemon."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._gauges: dict[str, Gauge] = {}
        self._counters: dict[str, Counter] = {}
        self._totals: dict[str, float] = {}
        self._seconds = Histogram(
            "vitrine_photo_seconds",
            "Seconds from claim to result of one picture.",
            buckets=_SECONDS,
            registry=self._registry,
        )
        version = importlib.metadata.version("vitrine")
        self.gauge("build_info", "The program's version.", 1, version=version)

    def gauge(self, name: str, words: str, value: float, **labels: str) -> None:
        """Set a figure."""
        if name not in self._gauges:
            self._gauges[name] = Gauge(f"vitrine_{name}", words, tuple(labels), registry=self._registry)
        known = self._gauges[name]
        (known.labels(**labels) if labels else known).set(value)

    def count(self, name: str, words: str, total: float) -> None:
        """Bring a counter up to `total`; it never falls."""
        if name not in self._counters:
            self._counters[name] = Counter(f"vitrine_{name}", words, registry=self._registry)
        self._counters[name].inc(max(0.0, total - self._totals.get(name, 0.0)))
        self._totals[name] = max(total, self._totals.get(name, 0.0))

    def took(self, seconds: float) -> None:
        """A picture ended."""
        self._seconds.observe(seconds)

    def files(self, account: Mapping[str, int]) -> None:
        """The account of all files that were ever seen, by state."""
        for state, count in account.items():
            if state != "seen":
                self.gauge("files", "Files that were ever seen, by what became of them.", count, state=state)

    def jobs(self, queues: Mapping[str, Mapping[str, int]]) -> None:
        """Open jobs by queue and state."""
        words = "Pictures to be made, by queue and state."
        for queue, states in queues.items():
            for state, count in states.items():
                self.gauge("jobs", words, count, queue=queue, state=state)

    def degraded(self, codes: Iterable[str]) -> None:
        """Which states hold."""
        present = set(codes)
        for code in CODES:
            words = "1 while something is wrong; `vitrine status` has the words."
            self.gauge("degraded", words, float(code in present), code=code)

    def text(self) -> bytes:
        """Everything in the text format."""
        return generate_latest(self._registry)
