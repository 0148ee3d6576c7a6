"""Patterns of the materials: each another set than the plain one, without bands, the same whatever the seed's neighbours."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from pipeline.backdrop.backdrop import paint
from pipeline.develop import develop
from pipeline.judge.technical import banding
from pipeline.layout import lay_out
from pipeline.photo.decode import decode
from pipeline.recipe import PATTERNS, Pattern
from pipeline.render import cut
from pipeline.values import Ground
from presets.library import HOME, library, recipe

SIZE = (360, 360)
GROUNDS = {"table": Ground(28.0, 220.0, (180.0, 262.0)), "flat": Ground(90.0, 220.0, (180.0, 180.0))}
ALL = [(material, pattern) for material, patterns in PATTERNS.items() for pattern in patterns]


def empty(material: str, pattern: str, view: str, seed: int = 0) -> np.ndarray:
    file = library().surfaces[material]
    surface = file.surface(next(iter(file.palettes))).model_copy(update={"pattern": pattern, "plate": ""})
    scene = paint(surface, library().rigs["studio"], view, SIZE, seed, GROUNDS[view])
    return np.add.reduce(list(scene.groups.values()))


def test_every_pattern_belongs_to_a_material():
    assert {pattern for _, pattern in ALL} | {"plain"} == set(get_args(Pattern))


@pytest.mark.parametrize("view", GROUNDS)
@pytest.mark.parametrize(("material", "pattern"), ALL)
def test_a_pattern_is_another_set_that_the_seed_decides(material: str, pattern: str, view: str):
    made = empty(material, pattern, view)
    assert made.dtype == np.float32
    assert np.isfinite(made).all()
    assert made.min() >= 0
    assert np.abs(made - empty(material, "plain", view)).mean() > 0.002
    assert np.array_equal(made, empty(material, pattern, view))
    assert not np.array_equal(made, empty(material, pattern, view, seed=1))


@pytest.mark.parametrize("pattern", ["halo", "horizon"])
def test_smooth_grounds_have_no_bands(pattern: str):
    asked = recipe("gradient-noir-halo", "ring", draft=True)
    asked = asked.model_copy(update={"surface": asked.surface.model_copy(update={"pattern": pattern})})
    piece = lay_out(cut(decode(HOME / "samples" / "ring_solitaire.jpg"), asked), asked)
    scene = paint(asked.surface, asked.rig, "table", (1080, 1080), 0, piece.ground)
    made = develop(np.add.reduce(list(scene.groups.values())), piece, asked)
    assert banding(np.ascontiguousarray(made[..., 1])) < 0.0005


def test_chips_keep_cement_between_them():
    """Terrazzo of one chip colour on white cement has two tones and no third: chips never lie on chips."""
    file = library().surfaces["marble"]
    surface = file.surface("terrazzo-venezia").model_copy(
        update={"base": "#ffffff", "accent": "#000000", "detail": "#000000", "reflection": 0.0, "plate": ""}
    )
    rig = library().rigs["studio"].model_copy(update={"lights": library().rigs["studio"].lights[:1]})
    scene = paint(surface, rig, "flat", SIZE, 0, GROUNDS["flat"])
    ground = scene.groups["ambient"][..., 1] / scene.groups["ambient"][..., 1].max()
    dark, light = (ground < 0.25).mean(), (ground > 0.75).mean()
    assert dark > 0.12
    assert light > 0.35
    assert dark + light > 0.7, "the rest are borders"
