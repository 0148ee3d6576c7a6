"""Every painter, every promise that the compositor builds on."""

from __future__ import annotations

import tomllib
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.backdrop.backdrop import PAINTERS, backdrop_for, paint
from pipeline.errors import Misconfigured
from pipeline.recipe import MATERIALS, Surface
from pipeline.rig import Ambient, Cone, Gobo, Light, Rig
from pipeline.values import Ground, Scene

SIZE = (168, 168)
SURFACES = Path(__file__).parents[3] / "presets" / "surfaces"


def surface(material: str) -> Surface:
    return Surface(
        name=material,
        material=material,
        palette="test",
        base="#5a4a3a",
        accent="#c0a060",
        detail="#806040",
        roughness=0.2,
        reflection=0.25,
    )


def rig(strength: float = 1.4, *, exposure_ev: float = 0.0, gobo: bool = True) -> Rig:
    key = Light(
        name="key",
        role="key",
        azimuth_deg=-40,
        elevation_deg=32,
        size_deg=3,
        strength=strength,
        color=(1.1, 1.0, 0.8),
        gobo=Gobo() if gobo else None,
    )
    rim = Light(
        name="rim", role="rim", azimuth_deg=70, elevation_deg=40, size_deg=9, strength=0.3, cone=Cone()
    )
    return Rig(name="t", title="t", lights=(key, rim), ambient=Ambient(strength=0.2), exposure_ev=exposure_ev)


def ground(view: str) -> Ground:
    if view == "table":
        return Ground(30.0, 0.62 * SIZE[0], (SIZE[0] / 2, 0.76 * SIZE[1]))
    return Ground(90.0, 0.62 * SIZE[0], (SIZE[0] / 2, SIZE[1] / 2))


def scene(material: str, view: str = "table", seed: int = 1, light: Rig | None = None) -> Scene:
    return paint(surface(material), light or rig(), view, SIZE, seed, ground(view))


def total(painted: Scene) -> np.ndarray:
    return np.sum(list(painted.groups.values()), axis=0)


@pytest.mark.parametrize("view", ["table", "flat"])
@pytest.mark.parametrize("material", MATERIALS)
class TestEveryPainter:
    def test_gives_one_finite_group_per_light_and_one_for_the_dome(self, material, view):
        painted = scene(material, view)
        assert set(painted.groups) == {"key", "rim", "ambient"}
        for radiance in painted.groups.values():
            assert radiance.shape == (SIZE[1], SIZE[0], 3)
            assert radiance.dtype == np.float32
            assert np.isfinite(radiance).all()
            assert radiance.min() >= 0.0

    def test_a_light_twice_as_strong_doubles_its_group_and_no_other(self, material, view):
        once, twice = scene(material, view), scene(material, view, light=rig(2.8))
        np.testing.assert_allclose(twice.groups["key"], 2 * once.groups["key"], rtol=2e-5, atol=1e-6)
        np.testing.assert_array_equal(twice.groups["rim"], once.groups["rim"])
        np.testing.assert_array_equal(twice.groups["ambient"], once.groups["ambient"])

    def test_exposure_scales_every_group(self, material, view):
        plain, bright = scene(material, view), scene(material, view, light=rig(exposure_ev=1.0))
        for name, radiance in plain.groups.items():
            np.testing.assert_allclose(bright.groups[name], 2 * radiance, rtol=2e-5, atol=1e-6)

    def test_same_bytes_on_any_number_of_threads(self, material, view):
        before = cv2.getNumThreads()
        try:
            pictures = []
            for threads in (1, 2, 4):
                cv2.setNumThreads(threads)
                pictures.append(b"".join(group.tobytes() for group in scene(material, view).groups.values()))
        finally:
            cv2.setNumThreads(before)
        assert pictures[0] == pictures[1] == pictures[2]

    def test_another_seed_is_another_set_of_the_same_brightness(self, material, view):
        first, second = total(scene(material, view, seed=1)), total(scene(material, view, seed=2))
        change = np.abs(first - second).mean() / first.mean()
        assert change > 0.02
        assert 0.5 < first.mean() / second.mean() < 2.0

    def test_the_window_shows_on_the_ground(self, material, view):
        dark = scene(material, view).groups["key"].mean()
        open_sky = scene(material, view, light=rig(gobo=False)).groups["key"].mean()
        assert dark < 0.8 * open_sky

    def test_spill_is_the_ground_around_the_piece(self, material, view):
        painted = scene(material, view)
        assert painted.spill_rgb.shape == (3,)
        picture = total(painted)
        assert (painted.spill_rgb > 0).all()
        assert (painted.spill_rgb <= picture.max(axis=(0, 1))).all()


def test_cloth_mirrors_nothing_and_stone_does():
    assert scene("velvet").reflection == 0.0
    assert scene("marble").reflection == 0.25


def test_all_materials_of_the_recipe_are_painted():
    assert set(PAINTERS) == set(MATERIALS)


def test_an_unknown_material_is_named_with_the_known_ones():
    strange = surface("velvet").model_copy(update={"material": "granite"})
    with pytest.raises(Misconfigured, match="granite") as caught:
        backdrop_for(strange)
    assert "velvet" in caught.value.advice


def test_odd_frames_are_painted_whole():
    for material in MATERIALS:
        painted = paint(surface(material), rig(), "table", (201, 255), 3, Ground(28.0, 120.0, (100.0, 190.0)))
        assert painted.groups["key"].shape == (255, 201, 3)
        assert painted.groups["key"][-1].mean() > 0


def test_a_fold_of_velvet_shades_the_cloth_behind_it():
    low = rig(gobo=False)
    flat = paint(surface("velvet").model_copy(update={"relief": 0.0}), low, "table", SIZE, 1, ground("table"))
    draped = paint(surface("velvet"), low, "table", SIZE, 1, ground("table"))
    darkest = np.percentile(draped.groups["key"], 2)
    assert darkest < 0.35 * np.percentile(flat.groups["key"], 2)


@pytest.mark.parametrize(
    ("material", "least"), [("velvet", 6), ("marble", 5), ("minimal", 5), ("gradient", 5), ("festive", 4)]
)
def test_the_palettes_on_the_shelf_are_surfaces(material, least):
    preset = tomllib.loads((SURFACES / f"{material}.toml").read_text(encoding="utf-8"))
    palettes = preset.pop("palettes")
    assert preset.pop("title")
    assert len(palettes) >= least
    for name, colors in palettes.items():
        assert colors.pop("title")
        made = Surface(name=f"{material}-{name}", palette=name, **{**preset, **colors})
        assert made.material == material
