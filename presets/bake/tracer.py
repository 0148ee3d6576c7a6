"""The path tracer of single pictures: a piece on its set goes to a Blender process, two pictures of the ground come back.

Owns the choice of the set, its paint and the child process; refuses to fail a photo: all that goes wrong is `NotTraced`.

Cloth, sand and paper are path-traced as they are, so the picture's whole set is Blender's. Stones and what has no
Blender recipe keep the picture's own set; there Blender says only what the piece does to the light on flat ground.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from pipeline.backdrop.backdrop import SceneView
from pipeline.backdrop.plate import texture
from pipeline.backdrop.plate_file import Canvas, Unusable
from pipeline.backdrop.stage import Stage
from pipeline.light.traced import NotTraced, Standing, Traced
from pipeline.recipe import Recipe
from pipeline.rig import Rig
from pipeline.values import F32, Ground
from presets.bake.card import card
from presets.bake.order import order
from presets.bake.pack import exposure
from presets.bake.queue import QUEUE, STONE_LENS, Bake

ROOT: Final = Path(__file__).resolve().parents[2]
SAMPLES, DRAFT_SAMPLES, DRAFT_SCALE = 24, 12, 0.5
NOISE: Final = 0.02  # where Cycles stops, unless it has taken all samples
# Share of the picture's size. Of a whole set only the picture with the piece is seen; a change is smooth, and both must match.
WHOLE_SCALES, CHANGE_SCALES = (1.0, 0.5), (0.75, 0.75)
SHINE = 5.0  # gloss for each unit of the surface's reflection weight: polish is shown a little stronger than it is
# Our own packages come last: beside them may lie a numpy that is not made for Blender's Python.
START: Final = "import sys; sys.path.append(sys.argv[1]); import presets.bake.atelier.shot as shot; sys.exit(shot.main())"
PLAIN: Final = Bake("plain", texture="none", lens=STONE_LENS)


def beside_the_program() -> Path:
    """Python of the environment that `make blender` makes; as a service, the program is an environment itself."""
    home = Path(sys.prefix)
    inside, beside = (place / ".venv-blender" / "bin" / "python" for place in (home, home.parent))
    return inside if inside.exists() else beside


def has_blender(python: Path) -> bool:
    """Whether this Python runs and finds Blender's module."""
    find = "import importlib.util, sys; sys.exit(importlib.util.find_spec('bpy') is None)"
    try:
        return subprocess.run([python, "-c", find], check=False, timeout=60).returncode == 0  # noqa: S603 - the owner's own
    except (OSError, subprocess.TimeoutExpired):
        return False


@dataclass(frozen=True, slots=True)
class BlenderTracer:
    """Path-traces with Blender. python: of its environment; timeout_s: for one picture; threads: of Cycles."""

    python: Path
    timeout_s: float
    threads: int

    def __call__(self, standing: Standing) -> Traced:
        """Both pictures of the ground. Raises `NotTraced`."""
        recipe, piece = standing.recipe, standing.piece
        bake, stage = set_for(recipe, piece.view), stage_of(recipe, piece.view, piece.ground)
        with tempfile.TemporaryDirectory(prefix="vitrine-") as work:
            self._run(_order(standing, Path(work), self.threads))
            try:
                pictures = [exposure(Path(work) / name) for name in ("bare.exr", "shaded.exr")]
            except (Unusable, OSError, RuntimeError) as error:
                raise NotTraced(f"Blender's picture cannot be read ({error})") from error
        gain: Any = np.float32(2.0**standing.recipe.rig.exposure_ev)
        fine = texture(stage, bake.texture, bake.texture_gain)
        seen = fine.body if fine.sheen is None else fine.sheen
        if seen is not None:
            gain = gain * seen[..., None]
        size = (stage.width, stage.height)
        bare, shaded = (cv2.resize(one, size, interpolation=cv2.INTER_CUBIC) for one in pictures)
        return Traced(np.maximum(bare, 0) * gain, np.maximum(shaded, 0) * gain, whole=_is_whole(bake))

    def _run(self, asked: dict[str, Any]) -> None:
        command = [str(self.python), "-EP", "-c", START, str(ROOT)]
        try:
            done = subprocess.run(  # noqa: S603 - our own module
                command,
                input=json.dumps(asked),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                check=False,
                timeout=self.timeout_s,
            )
        except FileNotFoundError as error:
            raise NotTraced(
                f"Blender's Python {self.python} is not there; `make blender` installs it"
            ) from error
        except OSError as error:
            raise NotTraced(f"{self.python} cannot be started ({error.strerror})") from error
        except subprocess.TimeoutExpired as error:
            raise NotTraced(f"Blender took longer than {self.timeout_s:g} s") from error
        if done.returncode:
            raise NotTraced(_why(done.returncode, done.stdout))


def _why(code: int, said: str) -> str:
    if code < 0:
        return f"Blender was ended by {signal.Signals(-code).name}, most often because memory ran out"
    last = next((line for line in reversed(said.splitlines()) if line.strip()), "it said nothing")
    return f"Blender ended with code {code} ({last.strip()[:200]})"


def set_for(recipe: Recipe, view: SceneView) -> Bake:
    """The set in which a piece is traced: that of the surface's plate, the take by the seed; else plain ground."""
    takes = [
        bake for bake in QUEUE if bake.name == recipe.surface.plate and view in bake.views and not bake.draft
    ]
    return takes[recipe.seed % len(takes)] if takes else PLAIN


def _is_whole(bake: Bake) -> bool:
    """Whether Blender knows all of the set: a stone's veins and a set's own lights it does not."""
    return bake is not PLAIN and bake.texture != "veins" and not bake.mask_px and not bake.glow


def stage_of(recipe: Recipe, view: SceneView, ground: Ground) -> Stage:
    """The recipe's set-up around that ground."""
    size = (recipe.width_px, recipe.height_px)
    return Stage(recipe.surface, recipe.rig, view, *size, recipe.seed, ground)


def _order(standing: Standing, work: Path, threads: int) -> dict[str, Any]:
    """What the Blender process is asked to do; the piece's mesh and the lamps' patterns lie in `work`."""
    recipe, piece = standing.recipe, standing.piece
    mesh = card(standing.solid, standing.glow, piece.ground)
    np.savez(work / "card.npz", points=mesh.points, faces=mesh.faces, glow=mesh.glow)
    scales = WHOLE_SCALES if _is_whole(set_for(recipe, piece.view)) else CHANGE_SCALES
    draft = DRAFT_SCALE if recipe.draft else 1.0
    return set_order(recipe, piece.view, piece.ground, work, threads) | {
        "scales": dict(zip(("shaded", "bare"), (draft * scale for scale in scales), strict=True)),
        "parent": os.getpid(),
    }


def set_order(recipe: Recipe, view: SceneView, ground: Ground, work: Path, threads: int) -> dict[str, Any]:
    """The recipe's set for a Blender process: surface in its paint, lamps in their colours, camera; patterns into `work`."""
    bake, stage, rig = set_for(recipe, view), stage_of(recipe, view, ground), recipe.rig
    frame = Canvas(
        elevation_deg=ground.elevation_deg,
        unit_px=ground.unit_px,
        origin=(ground.origin[0] + 0.5, ground.origin[1] + 0.5),  # a frame's pixels count from their centres
        size_px=(stage.width, stage.height),
        lens_blur=bake.lens if view == "table" else 0.0,
    )
    asked = order(bake, view, {rig.name: rig}, work, threads)
    return asked | {
        "canvas": frame.model_dump(mode="json"),
        "folder": str(work),
        "lights": [lamp | {"tint": _tint(lamp["name"], rig)} for lamp in asked["lights"]],
        "paint": _paint(bake, stage),
        "rough": stage.surface.roughness,
        "samples": DRAFT_SAMPLES if recipe.draft else SAMPLES,
        "noise": NOISE,
    }


def _tint(name: str, rig: Rig) -> list[float]:
    """Colour times strength of the lamp of that name in the order."""
    by_name = {f"{rig.name}-{light.name}": light for light in rig.lights}
    source: Any = by_name.get(name, rig.ambient)
    return [source.strength * part for part in source.color]


def _paint(bake: Bake, stage: Stage) -> Mapping[str, list[float]]:
    """The lobes' colours, linear."""
    if not _is_whole(bake):
        # From above, polish mirrors the lens and its dark room: it must not fill the shadow with sky.
        shine = SHINE * stage.surface.reflection if stage.view == "table" else 0.0
        return {"body": stage.base().tolist(), "sheen": [0.0] * 3, "gloss": [shine] * 3}
    above = bake.from_above if stage.view == "flat" else None
    lobes = above or bake.lobes
    own: dict[str, F32] = {"base": stage.base(), "accent": stage.accent(), "detail": stage.detail()}
    named = {"body": lobes.body, "sheen": lobes.sheen, "gloss": lobes.gloss}
    return {name: lobe.tinted(own).tolist() for name, lobe in named.items()}
