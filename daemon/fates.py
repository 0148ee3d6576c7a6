"""What became of every photo of a studio, afterwards. Owns reading ledger and verdicts together; refuses to change them."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from daemon.drops import ACCOUNT, Drop, Drops
from daemon.ledger import Ledger
from daemon.studio import Studio


@dataclass(frozen=True, slots=True)
class Picture:
    """One job's result. clean: the picture without a mark, wherever it lies; verdict: as the judge's file has it."""

    state: str
    reason: str
    clean: Path | None
    verdict: Mapping[str, Any]
    outputs: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Fate:
    """One file that was dropped. state: as in `daemon.drops.ACCOUNT`; original: where its bytes are now."""

    folder: str
    name: str
    state: str
    reason: str
    original: Path | None
    pictures: tuple[Picture, ...]


def fates(studio: Studio, batch: int | None = None) -> list[Fate]:
    """Every file that was ever seen (in this night batch), in the order of arrival. Empty without a ledger."""
    if not studio.ledger.exists():
        return []
    ledger = Ledger(studio.ledger)
    try:
        drops = Drops(ledger)
        seen = drops.recent((*ACCOUNT, "open", "settling"), -1, batch)
        return [_fate(studio, drops, drop) for drop in reversed(seen)]
    finally:
        ledger.close()


def _fate(studio: Studio, drops: Drops, drop: Drop) -> Fate:
    source = studio.absolute(drop.source) if drop.source else None
    pictures = []
    for job in drops.jobs(drop.id):
        verdict: dict[str, Any] = {}
        with contextlib.suppress(FileNotFoundError):
            verdict = json.loads((studio.verdicts / f"{job.key}.json").read_bytes())
        outputs = tuple(studio.root / path for path in verdict.get("outputs", ()))
        clean = [
            path for path in outputs if path.suffix == ".jpg" and not path.is_relative_to(studio.watermark)
        ]
        pictures.append(Picture(job.state, job.reason, clean[0] if clean else None, verdict, outputs))
    return Fate(drop.folder, drop.name, drop.state, drop.reason, source, tuple(pictures))
