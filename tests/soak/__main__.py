"""The long proofs in one table: `python -m tests.soak [NAME...] [--share 0.01]`. Ends with 1 if a figure is not met.

Each module in this folder that has a `PROOFS` mapping (name -> proof) takes part.
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
import time
import traceback
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.benchmarks.figures import machine
from tests.soak.proof import Proof, Row


def main() -> None:
    """Run and print."""
    proofs = find()
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(proofs)}; all by default")
    parser.add_argument("--share", type=float, default=1.0, help="of the full size of each proof")
    asked = parser.parse_args()
    if unknown := set(asked.names) - set(proofs):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(proofs)}")
    console = Console(stderr=True)
    table = Table(
        "proof", "figure", "asked", "measured", "met", title=f"Vitrine on {machine()}", title_justify="left"
    )
    met = True
    for name in asked.names or proofs:
        started = time.monotonic()
        for row in rows(proofs[name], asked.share, console):
            console.print(f"{name}: {row.what}: {row.measured}", markup=False, highlight=False)
            table.add_row(name, row.what, row.asked, row.measured, "yes" if row.met else "NO")
            met &= row.met
        console.print(f"{name}: took {time.monotonic() - started:.0f} s", markup=False, highlight=False)
    Console(width=None if sys.stdout.isatty() else 160).print(table)
    sys.exit(0 if met else 1)


def find() -> dict[str, Proof]:
    """All proofs by name."""
    found: dict[str, Proof] = {}
    for module in sorted(info.name for info in pkgutil.iter_modules([str(Path(__file__).parent)])):
        if not module.startswith("_"):
            found |= getattr(importlib.import_module(f"tests.soak.{module}"), "PROOFS", {})
    return found


def rows(proof: Proof, share: float, console: Console) -> list[Row]:
    """What a proof found; if it broke, that is its last row."""
    found: list[Row] = []
    try:
        found.extend(proof(share, lambda text: console.print(text, markup=False, highlight=False)))
    except Exception as error:  # noqa: BLE001 - the other proofs still run, and the table says it
        traceback.print_exc()
        found.append(Row("the proof itself", "runs", f"{type(error).__name__}: {error}", met=False))
    return found


if __name__ == "__main__":
    main()
