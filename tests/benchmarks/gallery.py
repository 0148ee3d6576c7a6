"""Real photos on every template: `python -m tests.benchmarks.gallery FOLDER`. Prints crashes, bands, clipping and verdicts.

`--templates "diyas-*" silk-ivory-moody` takes these alone. Goes on where it was cut off: a line for each picture is kept in OUT/gallery.jsonl, by its recipe and the code, so what has
changed since is rendered again. Each photo is cut out once, at full quality, and set on all templates. The first photo that
stands on a table and the first that is seen from above are rendered at 1080 px, where bands show (a gradient twice as long
has runs twice as long); the others at 540 px, on which neither clipping nor what a set does to the verdict depends.

added clipping: pixels white in the picture beyond those that are white in the photo's own piece, in percent of the picture.
bands: share of pixels in flat runs of 24 px or more beside a step of one code (`pipeline.judge.technical`).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track

from pipeline.errors import VitrineError
from pipeline.layout import lay_out
from pipeline.photo.decode import decode
from pipeline.recipe import JewelryType, Recipe
from pipeline.render import cut, render_cutout
from pipeline.shape.kind import guess_kind
from pipeline.stance import stance_for
from pipeline.values import Cutout
from presets.library import library, recipe
from rules.wording import type_in_name
from tests.benchmarks.evaluate import SUFFIXES
from tests.benchmarks.kept import mark

SIZE_PX, BAND_SIZE_PX = 540, 1080
MOST_ADDED_PCT = 0.5
Row = dict[str, Any]


def main() -> None:
    """Render what is missing and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.gallery", description=__doc__)
    parser.add_argument("photos", type=Path, help="folder with photos")
    parser.add_argument("--count", type=int, default=10, help="how many of them")
    parser.add_argument("--templates", nargs="*", default=["*"], help='of these alone: "diyas-*"')
    parser.add_argument("--out", type=Path, default=Path("out/gallery"), help="where the lines are kept")
    asked = parser.parse_args()
    photos = sorted(path for path in asked.photos.iterdir() if path.suffix.lower() in SUFFIXES)[: asked.count]
    if not photos:
        parser.error(f"{asked.photos}: there are no photos")
    asked.out.mkdir(parents=True, exist_ok=True)
    store = asked.out / "gallery.jsonl"
    known = (
        {row["key"]: row for row in map(json.loads, store.read_text().splitlines())} if store.exists() else {}
    )
    names = [name for name in library().templates if any(fnmatch(name, one) for one in asked.templates)]
    if not names:
        parser.error(f"no template is called {' or '.join(asked.templates)}")
    rows = []
    with store.open("a", encoding="utf-8") as stream:
        for row, new in rendered(photos, names, known):
            rows.append(row)
            if new:
                stream.write(json.dumps(row) + "\n")
                stream.flush()
    for line in summary(rows):
        print(line)


def rendered(
    photos: Sequence[Path], names: Sequence[str], known: dict[str, Row]
) -> Iterator[tuple[Row, bool]]:
    """A row for each picture, and whether it was made now."""
    console, seen = Console(stderr=True), set[str]()
    for photo in photos:
        cutout = cut(decode(photo), recipe("velvet-navy-moody"))
        kind = type_in_name(photo.name) or guess_kind(cutout.alpha)
        view = stance_for(kind, "auto", "auto")[0]
        size = SIZE_PX if view in seen else BAND_SIZE_PX
        seen.add(view)
        words = f"{photo.name} ({kind})"
        for name in track(names, words, console=console, disable=not sys.stderr.isatty()):
            asked = recipe(name, kind, size_px=(size, size))
            key = f"{photo.name} {mark(asked)}"
            yield (known[key], False) if key in known else (measured(photo, kind, cutout, asked, key), True)


def measured(photo: Path, kind: JewelryType, cutout: Cutout, asked: Recipe, key: str) -> Row:
    """What came of one picture."""
    row: Row = {
        "key": key,
        "photo": photo.name,
        "type": kind,
        "template": asked.template,
        "size": asked.width_px,
    }
    try:
        made = render_cutout(cutout, asked)
    except (VitrineError, ArithmeticError, ValueError, MemoryError) as error:
        return row | {"crash": f"{type(error).__name__}: {error}"}
    piece = lay_out(cutout, asked)
    own = 100 * float(((piece.rgb.min(axis=-1) >= 0.99) & (piece.alpha > 0.5)).mean())
    figures = made.verdict.figures
    return row | {
        "outcome": made.verdict.outcome,
        "reasons": [note.code for note in made.verdict.reasons],
        "banding": figures["banding"],
        "added_pct": max(0.0, figures["clipped_high_pct"] - own),
        "black_pct": figures["clipped_low_pct"],
        "median": figures["luma_p50"],
        "nan": [name for name, value in figures.items() if isinstance(value, float) and np.isinf(value)],
    }


def summary(rows: Sequence[Row]) -> Iterator[str]:
    """The figures, and the worst of each."""
    whole = [row for row in rows if "crash" not in row]
    bands = [row for row in whole if row["size"] == BAND_SIZE_PX]
    templates, photos = {row["template"] for row in rows}, {row["photo"] for row in rows}
    yield f"{len(rows)} pictures: {len(photos)} photos on {len(templates)} templates"
    yield f"crashed                      {len(rows) - len(whole)}   (asked 0)"
    yield f"verdicts                     {dict(Counter(row['outcome'] for row in whole))}, every one computed"
    over = [row for row in whole if row["added_pct"] > MOST_ADDED_PCT]
    yield f"added clipping, worst        {max(row['added_pct'] for row in whole):.3f} %   (asked <= {MOST_ADDED_PCT} %), over: {len(over)}"
    banded = [row for row in bands if row["banding"] > 0]
    worst = max((row["banding"] for row in bands), default=0.0)
    yield f"flat runs over 24 px at 1080  worst {worst:.5f} of a picture, in {len(banded)} of {len(bands)} pictures (asked 0)"
    yield f"black pixels, worst          {max(row['black_pct'] for row in whole):.2f} % of a picture"
    yield from _reasons(whole)
    for title, some, figure in (("clipping", over, "added_pct"), ("bands", banded, "banding")):
        for row in sorted(some, key=lambda row: -row[figure])[:12]:
            yield f"  {title}: {row[figure]:.4f}  {row['template']}  {row['photo']}"
    for row in rows:
        if "crash" in row:
            yield f"  crash: {row['template']}  {row['photo']}: {row['crash']}"


def _reasons(whole: Sequence[Row]) -> Iterator[str]:
    """Verdicts that are not the photo's own fault: reasons that only some templates have."""
    templates = len({row["template"] for row in whole})
    found = Counter((row["photo"], code) for row in whole for code in row["reasons"])
    for (photo, code), count in sorted(found.items()):
        yield f"  {code}: {photo} on {count} of {templates} templates"


if __name__ == "__main__":
    main()
