"""A folder of photos through the real program, photo by photo: `python -m tests.benchmarks.evaluate FOLDER`.

A `manifest.csv` in the folder with the columns file and type chooses the inbox folder; otherwise it is auto.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from daemon.cli.contact import save_contact_sheet
from daemon.fates import Fate, Picture, fates
from daemon.studio import PLURALS, Studio
from rules.vocabulary import TYPE_WORDS
from tests.benchmarks import matte

PROGRAM = (sys.executable, "-c", "from daemon.cli import main; main()")
MARK = "this-is-an-evaluation.txt"
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".avif", ".tif", ".tiff", ".heic", ".mpo"}
SAMPLES = Path(__file__).parents[2] / "presets" / "samples"


def main() -> None:
    """Drop, render, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.evaluate", description=__doc__)
    parser.add_argument("photos", type=Path, help="folder with photos")
    parser.add_argument(
        "--style", default="", help="part of the inbox folders' names, such as velvet-navy-moody"
    )
    parser.add_argument("--out", type=Path, default=Path("out/evaluate"), help="where the studio is made")
    parser.add_argument("--no-matte", action="store_true", help="skip the samples' mattes")
    asked = parser.parse_args()
    studio = Studio(asked.out.absolute())
    dropped = fill(studio, asked.photos, asked.style)
    if not dropped:
        parser.error(f"{asked.photos}: there are no photos")
    subprocess.run([*PROGRAM, "run", "--until-idle", "--studio", str(studio.root)], check=False)
    told = sorted(fates(studio), key=lambda fate: fate.name)
    print()
    for fate in told:
        for line in lines(fate):
            print(line)
    print()
    for line in totals(told, dropped):
        print(line)
    if not asked.no_matte:
        print("\nmatte against truth (samples)")
        for line in mattes():
            print(line)
    figures = {fate.name: [dict(one.verdict) for one in fate.pictures] for fate in told}
    (studio.root / "figures.json").write_text(json.dumps(figures, indent=1, sort_keys=True))
    print(f"\n{save_contact_sheet(told, studio.root / 'contact-sheet')[0]}")


def fill(studio: Studio, photos: Path, style: str) -> int:
    """A fresh studio with all photos in its inbox; how many. Refuses to empty what it did not make."""
    if studio.root.exists():
        if not (studio.root / MARK).is_file():
            raise SystemExit(f"{studio.root} holds something else; give another place with --out")
        shutil.rmtree(studio.root)
    studio.root.mkdir(parents=True)
    (studio.root / MARK).touch()
    workers = max(1, min(4, len(os.sched_getaffinity(0))))
    (studio.root / "vitrine.toml").write_text(
        f"workers = {workers}\nworker_threads = 1\nincomplete_after_s = 3\n"
    )
    studio.create()
    kinds = kinds_of(photos / "manifest.csv")
    found = sorted(path for path in photos.iterdir() if path.suffix.lower() in SUFFIXES)
    for path in found:
        kind = kinds.get(path.name, "auto")
        folder = studio.inbox / "--".join(filter(None, (PLURALS.get(kind, kind), style)))
        folder.mkdir(exist_ok=True)
        shutil.copyfile(path, folder / path.name)
    return len(found)


def kinds_of(manifest: Path) -> Mapping[str, str]:
    """File name -> kind of jewelry, from the first word of the type column that is one."""
    if not manifest.is_file():
        return {}
    with manifest.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    words = {row["file"]: re.findall(r"[\w-]+", row["type"].casefold()) for row in rows}
    return {
        file: next((TYPE_WORDS[word] for word in found if word in TYPE_WORDS), "auto")
        for file, found in words.items()
    }


def lines(fate: Fate) -> list[str]:
    """One line for each picture of a photo, and its reasons."""
    if not fate.pictures:
        return [f"{fate.name:<36} {fate.state:<10} {fate.reason}"]
    return [line for one in fate.pictures for line in _picture(fate, one)]


def _picture(fate: Fate, one: Picture) -> list[str]:
    state = "published" if one.state == "done" else one.state
    figures = one.verdict.get("figures", {})
    if not figures:
        return [f"{fate.name:<36} {state:<10}", f"    {one.reason}"]
    same = "same" if figures["topology_same"] else "CHANGED"
    text = (
        f"{fate.name:<36} {state:<10} confidence {figures['confidence']:.2f}  growth {figures['growth_px']:.0f} px"
        f"  holes/parts {figures['holes']:.0f}/{figures['parts']:.0f} {same}"
        f"  hue {hue(figures, 'metal'):.1f}/{hue(figures, 'gem'):.1f} deg  {figures['psnr_db']:.1f} dB"
    )
    reasons = [reason["text"] for reason in one.verdict.get("reasons", ())]
    return [text, *(f"    {reason}" for reason in reasons)]


def hue(figures: Mapping[str, float], kind: str) -> float:
    """Hue shift as it shows in the finished picture; where that was not measured, in the composed one."""
    return figures.get(f"shown_hue_{kind}_deg", figures.get(f"hue_{kind}_deg", 0.0))


def totals(told: Sequence[Fate], dropped: int) -> list[str]:
    """How many came to what, and the worst identity of what was published."""
    states = [fate.state for fate in told]
    count = {state: states.count(state) for state in ("done", "review", "rejected")}
    ended = sum(state in {"done", "review", "rejected", "duplicate", "vanished"} for state in states)
    ways = f"{count['done']} published, {count['review']} in review, {count['rejected']} rejected"
    out = [f"{dropped} dropped, {ended} accounted for: {ways}"]
    shown = [one.verdict["figures"] for fate in told for one in fate.pictures if one.state == "done"]
    if shown:
        growth, psnr = max(one["growth_px"] for one in shown), min(one["psnr_db"] for one in shown)
        changed = sum(not one["topology_same"] for one in shown)
        metal, gem = (max(hue(one, kind) for one in shown) for kind in ("metal", "gem"))
        out.append(
            f"worst published: growth {growth:.0f} px (asked 0), topology changed on {changed} (asked 0), "
            f"hue metal {metal:.2f} deg (<= 2), gem {gem:.2f} deg (<= 3), {psnr:.1f} dB (>= 45)"
        )
    return out


def mattes() -> list[str]:
    """A line for each sample whose matte is known."""
    out = []
    for truth in sorted((SAMPLES / "alpha").glob("*.png")):
        one = matte.sample(SAMPLES / f"{truth.stem}.jpg", truth)
        out.append(
            f"{truth.stem:<24} IoU {one.iou:.4f}  holes found {one.holes_found:.0%}, {one.holes[0]} of {one.holes[1]}"
            f"  parts {one.parts[0]} of {one.parts[1]}  MAE {one.mae:.2f} e-3  confidence {one.confidence:.2f}"
        )
    return out


if __name__ == "__main__":
    main()
