"""All figures of speed and memory in one table: `python -m tests.benchmarks [--quick]`. Never fails on a figure."""

from __future__ import annotations

import argparse
import os
import sys

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from tests.benchmarks import figures, latency

ASKED_RENDER_S, ASKED_LIGHT_S, ASKED_MEMORY_MB, ASKED_LATENCY_MS = 3.0, 0.6, 1024.0, 100.0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds and photos")
    quick = parser.parse_args().quick
    rounds, day, latencies = (2, 4, 8) if quick else (5, 12, 30)
    cores = len(os.sched_getaffinity(0))
    machine = figures.machine()
    table = Table("figure", "asked", "measured", title=f"Vitrine on {machine}", title_justify="left")
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty()) as progress:
        bar = progress.add_task("making photos of 12 megapixels")
        with figures.photos(day) as photos:
            progress.update(bar, description="seconds by step")
            _steps(table, figures.seconds_by_step(photos[0], rounds, threads=min(2, cores)))
            progress.update(bar, description="a day's work through the daemon")
            _day(table, figures.through_the_daemon(photos, workers=2))
        progress.update(bar, description="from a closed file to a durable job")
        times = latency.measure(latencies)
        shown = f"{figures.median(times):.0f} ms median, {max(times):.0f} ms worst of {len(times)}"
        table.add_row("file closed -> durable job", f"<= {ASKED_LATENCY_MS:.0f} ms median", shown)
    Console(width=None if sys.stdout.isatty() else 120).print(table)


def _steps(table: Table, times: dict[str, list[float]]) -> None:
    whole, processor = times.pop("all"), times.pop("processor")
    for name, values in times.items():
        table.add_row(f"  {name}", "", f"{figures.median(values):.2f} s")
    lit = figures.median([one + other for one, other in zip(times["shape"], times["light"], strict=True)])
    table.add_row("  shape, shadow, reflection, relight", f"<= {ASKED_LIGHT_S} s median", f"{lit:.2f} s")
    shown = f"{figures.median(whole):.2f} s median of {len(whole)} ({min(whole):.2f} to {max(whole):.2f})"
    table.add_row("  processor time of all of it", "", f"{figures.median(processor):.2f} s")
    table.add_row("12-megapixel photo to three pictures", f"<= {ASKED_RENDER_S:.0f} s median", shown)


def _day(table: Table, day: figures.Day) -> None:
    made = (
        f"{day.per_hour:.0f} an hour ({day.ended} photos in {day.seconds:.0f} s, {day.published} published)"
    )
    table.add_row("renders per hour, 2 workers, all outputs", "", made)
    table.add_row("peak memory of a worker", f"<= {ASKED_MEMORY_MB:.0f} MB", f"{day.peak_mb:.0f} MB")


if __name__ == "__main__":
    main()
