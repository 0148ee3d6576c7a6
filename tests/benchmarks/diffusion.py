"""Painted backgrounds: `python -m tests.benchmarks.diffusion [PART...]`. Prints figures, never fails on one. Needs the extra.

families  tiny SD, SDXL, SDXL-Turbo, with and without ControlNet and LoRA, as folder and as one file: from the inbox to the
          picture by the real daemon, no process able to reach a network; the same again from nothing: same bytes?
piece     the largest difference of the piece's pixels from the plate engine's at the same colour of the ground, and how much the
          painted ground's own colour changes them
light     the ordinary set's own picture taken as if it had been painted: how far the piece's shadow is from the ordinary one
night     200 photos on 20 painted backgrounds: models loaded, memory of the worker and of the painting process
card      memory and seconds of SDXL-sized weights (random), where there is a graphics card
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance
from rich.console import Console
from rich.table import Table

from pipeline.backdrop.diffused import Background
from pipeline.color import luminance, srgb_from_linear
from pipeline.composite import compose
from pipeline.photo.decode import decode
from pipeline.recipe import Recipe
from pipeline.render import Stopwatch, Take, cut, take
from pipeline.shape.solid import solid_of
from pipeline.values import F32, U8
from presets.library import recipe

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "presets" / "samples"
SORTS = ("sd", "sdxl", "sdxl-turbo")
PROGRAM = [sys.executable, "-c", "from daemon.cli import main; main()"]
GUARD = """
import os, socket, sys
def refuse(event, arguments):
    outward = event in ("socket.connect", "socket.sendto") and arguments[0].family != socket.AF_UNIX
    if outward or event in ("socket.getaddrinfo", "socket.gethostbyname"):
        open(os.environ["VITRINE_ASKED"], "a").write(f"{sys.orig_argv} {event}\\n")
        raise OSError("no network in this benchmark")
sys.addaudithook(refuse)
"""
SETTINGS = 'settle_s = 0.05\nscan_s = 0.5\nworker_threads = 1\nsize_px = 256\noutputs = ["export"]\n'
console = Console(width=130)


def main() -> None:
    """Run the parts that are named, or all."""
    parts = {"families": families, "piece": piece, "light": light, "night": night, "card": card}
    cli = argparse.ArgumentParser(prog="python -m tests.benchmarks.diffusion", description=__doc__)
    cli.add_argument("parts", nargs="*", choices=[[], *parts], help="all of them if none is named")
    cli.add_argument("--jobs", type=int, default=200, help="night: photos")
    args = cli.parse_args()
    warnings.simplefilter("ignore")
    for name in args.parts or parts:
        parts[name](args) if name == "night" else parts[name]()


@contextmanager
def studio(sorts: tuple[str, ...] = SORTS) -> Iterator[Path]:
    """A studio whose weights folder is full of small models."""
    from tests.pipeline.diffusion.tiny_shelf import furnish

    with tempfile.TemporaryDirectory(prefix="vitrine-") as work:
        root = Path(work) / "studio"
        (root / "inbox").mkdir(parents=True)
        (root / "guard").mkdir()
        (root / "guard" / "sitecustomize.py").write_text(GUARD)
        furnish(root / "weights", sorts)
        yield root


def run(root: Path) -> str:
    """The daemon until nothing waits; what asked for the network meanwhile, "" for nobody."""
    asked = root / "guard" / "asked"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("VITRINE_")}
    environment |= {"PYTHONPATH": f"{root / 'guard'}:{ROOT}", "VITRINE_ASKED": str(asked)}
    command = [*PROGRAM, "run", "--studio", str(root), "--until-idle"]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode > 1:
        raise RuntimeError(done.stderr)
    return asked.read_text() if asked.exists() else ""


def families() -> None:
    """Every way of loading, from the inbox to the picture."""
    kinds = list(product(SORTS, ("tiny", "file"), ("none", "depth"), (False, True)))
    table = Table(
        "model", "as", "ControlNet", "LoRA", "painted", "seconds", "again, from nothing", title="families"
    )
    with studio() as root:
        first, times, asked = _all(root, kinds)
        shutil.rmtree(root / "backgrounds")
        again, _, more = _all(root, kinds)
    for kind in kinds:
        name = _folder(*kind)
        same = "same bytes" if first.get(name) and first[name] == again.get(name) else "OTHER BYTES"
        sort, way, control, lora = kind
        said = "yes" if first.get(name) else "NO"
        table.add_row(
            sort,
            {"tiny": "folder"}.get(way, way),
            control,
            "yes" if lora else "",
            said,
            f"{times.get(name, 0):.1f}",
            same,
        )
    console.print(table)
    console.print(
        f"different pictures: {len(set(first.values()))} of {len(kinds)}; a folder and its file may paint the same"
    )
    console.print(f"asked for the network: {asked or more or 'nobody'}")


def _folder(sort: str, way: str, control: str, lora: bool) -> str:
    return f"{way}-{sort}-{control}{'-lora' if lora else ''}"


def _all(
    root: Path, kinds: list[tuple[str, str, str, bool]]
) -> tuple[dict[str, bytes], dict[str, float], str]:
    """The painted backgrounds' bytes and seconds by folder. The control is a setting, so there are two runs."""
    made: dict[str, bytes] = {}
    times: dict[str, float] = {}
    asked = ""
    for control in ("none", "depth"):
        for old in ("inbox", "export", ".vitrine"):
            shutil.rmtree(root / old, ignore_errors=True)
        rules = [SETTINGS, f'[diffusion]\ncontrol = "{control}"\nbackgrounds = 1\nsteps = 4\n']
        for sort, way, held, lora in kinds:
            if held == control:
                name = _folder(sort, way, held, lora)
                (root / "inbox" / name).mkdir(parents=True)
                shutil.copy(SAMPLES / "ring_solitaire.jpg", root / "inbox" / name / "ring.jpg")
                worn = f'lora = ["house-{sort}"]\n' if lora else ""
                rules.append(
                    f'[[rule]]\nmatch = "{name}"\ntemplate = "velvet-navy-moody"\nbackdrop = "diffusion"\ndraft = true\n'
                    f'diffusion_model = "{way}-{sort}"\n{worn}'
                )
        (root / "vitrine.toml").write_text("".join(rules))
        asked += run(root)
        for path in (root / ".vitrine" / "verdicts").glob("*.json"):
            verdict = json.loads(path.read_text())
            times[verdict["folder"]] = verdict["seconds"]["backdrop"]
            for note in verdict["notes"]:
                if note["code"] == "background":
                    name = note["text"].split()[3].rstrip(";")
                    made[verdict["folder"]] = (root / "backgrounds" / f"{name}.png").read_bytes()
                if note["code"] == "not-painted":
                    console.print(verdict["folder"], note["text"])
    return made, times, asked


def _both(template: str, photo: str, background: U8 | None = None) -> tuple[Take, Take, Recipe]:
    """The take on the ordinary set, and on a painted one (None: noise)."""
    plain = recipe(template, "ring", size_px=(720, 720))
    wanted = recipe(template, "ring", size_px=(720, 720), backdrop="diffusion")
    cutout = cut(decode(SAMPLES / photo), plain)
    one = take(cutout, plain, Stopwatch())
    if background is None:
        background = np.random.default_rng(5).integers(0, 255, (512, 512, 3), np.uint8)
    return one, take(cutout, wanted, Stopwatch(), backgrounds=lambda *_: Background(background, "one")), plain


def piece() -> None:
    """The piece's pixels against the plate engine's."""
    table = Table(
        "template",
        "photo",
        "relit piece",
        "frame, where the piece is opaque",
        "by the ground's own colour",
        title="largest difference, linear; the last one in luminance, of the pixel's own",
    )
    photos = ("ring_solitaire.jpg", "earrings_drop.jpg", "bangle_stones.jpg")
    for template, photo in product(
        ("velvet-navy-moody", "marble-black-studio", "travertine-roman-soft-glow"), photos
    ):
        one, other, wanted = _both(template, photo)
        solid = solid_of(other.piece)
        alike = replace(other.scene, spill_rgb=one.scene.spill_rgb)
        same = compose(alike, other.piece, solid, wanted.rig)
        inside = one.piece.alpha == 1
        lit = np.abs(one.composite.lit - same.lit).max()
        frame = np.abs(one.composite.frame - same.frame)[inside].max()
        before, after = (luminance(each.lit)[inside] for each in (same, other.composite))
        own = np.abs(after - before) / np.maximum(before, 1e-4)
        table.add_row(template, photo, f"{lit:g}", f"{frame:g}", f"{own.max():.2%}")
    console.print(table)


def light() -> None:
    """Shadows on a picture whose true light is known: the ordinary set's own picture, as a model would have painted it."""
    table = Table(
        "template",
        "key's share",
        "RMSE",
        "ZNCC",
        "darkest, ordinary",
        "painted",
        title="share of light that is left",
    )
    for template in (
        "velvet-navy-moody",
        "marble-white-studio",
        "velvet-navy-spotlight",
        "travertine-roman-soft-glow",
    ):
        one, _, wanted = _both(template, "ring_solitaire.jpg")
        shown = srgb_from_linear(np.clip(one.composite.bare, 0, 1))
        _, other, _ = _both(template, "ring_solitaire.jpg", np.rint(shown * 255).astype(np.uint8))
        ours, theirs = (_left(each) for each in (other, one))
        ground = (one.piece.alpha < 0.02) & ((ours < 0.97) | (theirs < 0.97))
        a, b = ours[ground], theirs[ground]
        rig = wanted.rig
        key = rig.key.strength * rig.key.direction[2]
        every = sum(light.strength * light.direction[2] for light in rig.lights) + rig.ambient.strength
        rmse, zncc = float(np.sqrt(np.mean((a - b) ** 2))), float(np.corrcoef(a, b)[0, 1])
        table.add_row(
            template, f"{key / every:.2f}", f"{rmse:.3f}", f"{zncc:.3f}", f"{b.min():.2f}", f"{a.min():.2f}"
        )
    console.print(table)


def _left(one: Take) -> F32:
    return np.clip((luminance(one.composite.shaded) + 1e-3) / (luminance(one.composite.bare) + 1e-3), 0, 1)


def night(args: argparse.Namespace) -> None:
    """Many photos on a few backgrounds."""
    from daemon.darkroom import develop, library_of
    from daemon.settings import load_settings
    from daemon.studio import Studio
    from presets.painting import Commission

    with studio(("sd",)) as root:
        (root / "vitrine.toml").write_text(
            'worker_threads = 1\n[diffusion]\nmodel = "tiny-sd"\nbackgrounds = 20\nsteps = 4\nidle_s = 3600\n'
        )
        settings = load_settings(root)
        library = library_of(settings, Studio(root))
        photos = _photos(root / "photos", args.jobs)
        used: set[str] = set()
        started = time.monotonic()
        for number, photo in enumerate(photos, 1):
            commission = Commission(brush=settings.rules.diffusion, take=number)
            wanted = recipe(
                "velvet-navy-moody",
                "ring",
                size_px=(256, 256),
                draft=True,
                backdrop="diffusion",
                commission=commission,
            )
            made = develop(photo, wanted, 10**8, photo.name, backgrounds=library)
            used |= {note.text.split()[3] for note in made.notes if note.code == "background"}
            if number in {round(args.jobs * share) for share in (0.1, 0.5, 1.0)}:
                here, there = _resident_mb(os.getpid()), _resident_mb(_child(library.painter))
                console.print(
                    f"night, {number} photos done: worker {here:.0f} MB, painting process {there:.0f} MB"
                )
        seconds = time.monotonic() - started
        loads = library.painter(library.order(*_last(wanted)), []).loads
        starts = library.painter.starts
        library.painter.close()
    console.print(
        f"{args.jobs} photos in {seconds:.0f} s, on {len(used)} backgrounds; painting processes: {starts}, models loaded: {loads}"
    )


def _last(wanted: Recipe) -> tuple[object, object]:
    from daemon.cli.backgrounds import _stage

    return _stage(wanted), wanted.painting


def _photos(folder: Path, count: int) -> list[Path]:
    """As many photos, none of the same bytes."""
    folder.mkdir()
    made = []
    with Image.open(SAMPLES / "ring_solitaire.jpg") as image:
        small = image.convert("RGB").resize((image.width // 2, image.height // 2))
    for number in range(count):
        made.append(folder / f"{number:03d}.jpg")
        ImageEnhance.Brightness(small).enhance(1 - number / (20 * count)).save(made[-1], quality=92)
    return made


def _child(painter: object) -> int:
    child = painter._child  # type: ignore[attr-defined]
    return int(child.pid)


def _resident_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def card() -> None:
    """An SDXL of full size with random weights."""
    import torch

    if not torch.cuda.is_available():
        console.print("card: there is no graphics card here, so memory and seconds on one were not measured")
        return
    from pipeline.diffusion.load import Machine
    from pipeline.diffusion.order import Order, Sheet
    from pipeline.diffusion.painter import Painter
    from tests.pipeline.diffusion.full_size import sdxl

    table = Table(
        "model", "size", "steps", "batch", "seconds a picture", "card MB", title=torch.cuda.get_device_name()
    )
    with tempfile.TemporaryDirectory(prefix="vitrine-") as work:
        for turbo in (False, True):
            sdxl(Path(work) / "weights/diffusion" / ("turbo" if turbo else "xl"), turbo=turbo)
        for name, batch in product(("xl", "turbo"), (1, 4, 8)):
            turbo = name == "turbo"
            size, count = (512, 2) if turbo else (1024, 30)
            painter = Painter(Path(work) / "weights", Machine(device="cuda"), batch, timeout_s=3000)
            order = Order(name, "", "velvet", "text", (size, size), count, 0.0 if turbo else 6.0)
            painter(order, [Sheet(0)])  # loads
            made = painter(order, [Sheet(seed) for seed in range(batch)])
            table.add_row(
                name, str(size), str(count), str(batch), f"{made.seconds / batch:.2f}", f"{made.card_mb:.0f}"
            )
            painter.close()
    console.print(table)


if __name__ == "__main__":
    main()
