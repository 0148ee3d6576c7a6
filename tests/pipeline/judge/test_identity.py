"""Planted faults: each must move its own figure, and honest relighting must move none."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pipeline.color import linear_from_oklab, oklab_from_linear, oklab_from_oklch, oklch_from_oklab
from pipeline.errors import Unfit
from pipeline.judge.identity import identity_figures
from pipeline.values import F32

SIDE = 420
GOLD, SAPPHIRE = (0.80, 0.55, 0.20), (0.03, 0.10, 0.42)


def _disk(x: float, y: float, radius: float) -> F32:
    yy, xx = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    return np.clip(radius + 0.5 - np.hypot(xx - x, yy - y), 0, 1).astype(np.float32)


def _piece() -> tuple[F32, F32]:
    """A gold ring with a round sapphire and four claws: (rgb, alpha), facets and brushed metal included."""
    rng = np.random.Generator(np.random.PCG64(5))
    band = _disk(210, 250, 130) * (1 - _disk(210, 250, 102))
    stone = _disk(210, 110, 42)
    alpha = np.maximum(band, stone)
    yy, xx = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    shade = 0.55 + 0.4 * np.sin(np.arctan2(yy - 250, xx - 210) * 3) * np.cos(
        (np.hypot(xx - 210, yy - 250) - 116) / 9
    )
    shade += 0.03 * rng.normal(0, 1, (SIDE, SIDE))
    facet = 0.45 + 0.55 * (
        np.sin(np.arctan2(yy - 110, xx - 210) * 8) * np.sin(np.hypot(xx - 210, yy - 110) / 6) > 0
    )
    rgb = shade[..., None] * np.array(GOLD)
    rgb = np.where(stone[..., None] > 0.5, facet[..., None] * np.array(SAPPHIRE), rgb)
    for degrees in (45, 135, 225, 315):
        claw = _claw(degrees)
        rgb = rgb * (1 - claw[..., None]) + claw[..., None] * np.array((0.9, 0.66, 0.27))
        alpha = np.maximum(alpha, claw)
    return np.maximum(rgb, 0.002).astype(np.float32), alpha.astype(np.float32)


def _claw(degrees: float) -> F32:
    a = np.radians(degrees)
    return _disk(210 + 40 * np.cos(a), 110 + 40 * np.sin(a), 6.5)


def _turn_hue(rgb: F32, degrees: float, where: F32) -> F32:
    lch = oklch_from_oklab(oklab_from_linear(rgb))
    scale = 180 / np.pi if np.abs(lch[..., 2]).max() <= 2 * np.pi + 1e-3 else 1.0
    lch = lch.copy()
    lch[..., 2] += np.float32(degrees / scale)
    turned = linear_from_oklab(oklab_from_oklch(lch.astype(np.float32)))
    return np.where(where[..., None] > 0.5, turned, rgb).astype(np.float32)


@pytest.fixture(scope="module")
def piece() -> tuple[F32, F32]:
    return _piece()


def test_the_same_piece_is_perfect(piece: tuple[F32, F32]) -> None:
    rgb, alpha = piece
    figures = identity_figures(rgb, alpha, rgb, alpha)
    assert figures["growth_px"] == figures["loss_px"] == 0
    assert (figures["parts"], figures["holes"], figures["topology_same"]) == (1, 1, 1)
    assert figures["psnr_db"] > 90
    assert figures["ssim"] > 0.9999
    assert figures["edge_f1"] == 1
    assert figures["hue_metal_deg"] == figures["hue_gem_deg"] == 0
    assert figures["metal_share"] > 0.5
    assert figures["gem_share"] > 0.1
    assert all(isinstance(value, float) and np.isfinite(value) for value in figures.values())


def test_one_claw_more(piece: tuple[F32, F32]) -> None:
    rgb, alpha = piece
    claw = _claw(0)
    more = (rgb * (1 - claw[..., None]) + claw[..., None] * np.array((0.9, 0.66, 0.27))).astype(np.float32)
    figures = identity_figures(rgb, alpha, more, np.maximum(alpha, claw))
    assert 20 < figures["growth_px"] < 140
    assert figures["loss_px"] == 0
    assert figures["topology_same"] == 1
    assert figures["psnr_db"] < 38
    assert figures["ssim_worst"] < 0.5
    assert figures["edge_f1"] < 0.995


def test_grown_by_one_pixel(piece: tuple[F32, F32]) -> None:
    rgb, alpha = piece
    wide = cv2.dilate(alpha, np.ones((3, 3), np.uint8))
    figures = identity_figures(rgb, alpha, rgb, wide)
    outline = 2 * np.pi * (130 + 102 + 30)
    assert 0.8 * outline < figures["growth_px"] < 1.8 * outline
    assert figures["loss_px"] == 0
    lost = identity_figures(rgb, wide, rgb, alpha)
    assert lost["loss_px"] == figures["growth_px"]


def test_a_filled_hole_and_a_lost_part_are_counted(piece: tuple[F32, F32]) -> None:
    rgb, alpha = piece
    filled = np.maximum(alpha, _disk(210, 250, 110))
    figures = identity_figures(rgb, alpha, rgb, filled)
    assert (figures["holes_reference"], figures["holes"], figures["topology_same"]) == (1, 0, 0)
    cut = alpha * (1 - _disk(110, 250, 40)) * (1 - _disk(310, 250, 40))
    figures = identity_figures(rgb, alpha, rgb, cut)
    assert (figures["parts_reference"], figures["parts"]) == (1, 2)
    assert figures["topology_same"] == 0


def test_specks_and_pinholes_do_not_count(piece: tuple[F32, F32]) -> None:
    rgb, alpha = piece
    grainy = alpha.copy()
    grainy[5:8, 5:8] = 1  # 9 px beside the piece
    grainy[130:133, 208:211] = 0  # 9 px inside the stone
    figures = identity_figures(rgb, alpha, rgb, grainy)
    assert figures["topology_same"] == 1
    assert figures["growth_px"] == figures["loss_px"] == 9
    grainy[5:9, 5:9] = 1  # 16 px
    assert identity_figures(rgb, alpha, rgb, grainy)["parts"] == 2


@pytest.mark.parametrize("degrees", [5.0, -5.0, 12.0])
def test_hue_drift_is_measured_where_it_is(piece: tuple[F32, F32], degrees: float) -> None:
    rgb, alpha = piece
    stone = _disk(210, 110, 42)
    gem = identity_figures(rgb, alpha, _turn_hue(rgb, degrees, stone), alpha)
    assert gem["hue_gem_deg"] == pytest.approx(abs(degrees), abs=0.4)
    assert gem["drift_gem_deg"] == pytest.approx(degrees, abs=0.4)
    assert gem["hue_metal_deg"] < 0.05
    metal = identity_figures(rgb, alpha, _turn_hue(rgb, degrees, 1 - stone), alpha)
    assert metal["hue_metal_deg"] == pytest.approx(abs(degrees), abs=0.4)
    assert metal["hue_gem_deg"] < 0.05


def test_grain_is_no_drift_of_hue(piece: tuple[F32, F32]) -> None:
    rgb, alpha = piece
    rng = np.random.Generator(np.random.PCG64(9))
    grainy = (rgb * (1 + 0.06 * rng.normal(0, 1, rgb.shape))).astype(np.float32)
    figures = identity_figures(rgb, alpha, grainy, alpha)
    assert figures["hue_metal_deg"] > 1
    assert abs(figures["drift_metal_deg"]) < 0.3
    assert abs(figures["drift_gem_deg"]) < 0.3


def test_a_bleached_stone_is_not_an_unchanged_stone(piece: tuple[F32, F32]) -> None:
    rgb, alpha = piece
    stone = _disk(210, 110, 42)[..., None] > 0.5
    grey = rgb.mean(axis=2, keepdims=True)
    figures = identity_figures(
        rgb, alpha, np.where(stone, 0.9 * grey + 0.1 * rgb, rgb).astype(np.float32), alpha
    )
    assert figures["saturation_gem"] < 0.4
    assert figures["saturation_metal"] == pytest.approx(1, abs=0.01)


def test_neutral_metal_has_no_hue_to_drift(piece: tuple[F32, F32]) -> None:
    rgb, alpha = piece
    silver = np.repeat(rgb.mean(axis=2, keepdims=True), 3, axis=2)
    figures = identity_figures(silver, alpha, silver * np.array([1.004, 1, 0.996], np.float32), alpha)
    assert figures["hue_metal_deg"] == figures["hue_gem_deg"] == 0
    assert figures["metal_share"] < 0.01


def _smooth_gain(strength_ev: float) -> F32:
    yy, xx = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    ramp = np.sin(xx / 90) * 0.6 + np.cos(yy / 120) * 0.4
    return np.exp2(strength_ev * ramp)[..., None].astype(np.float32)


@pytest.mark.parametrize("strength_ev", [0.3, 0.7])
def test_a_smooth_gain_is_not_a_change_of_the_piece(piece: tuple[F32, F32], strength_ev: float) -> None:
    rgb, alpha = piece
    figures = identity_figures(rgb, alpha, rgb * _smooth_gain(strength_ev), alpha)
    assert figures["psnr_db"] > 38
    assert figures["ssim"] > 0.995
    assert figures["ssim_worst"] > 0.95
    assert figures["edge_f1"] > 0.97
    assert figures["hue_metal_deg"] < 0.1
    assert figures["hue_gem_deg"] < 0.1
    assert figures["gain_max_ev"] == pytest.approx(strength_ev * 0.9, abs=strength_ev * 0.25)


def test_changed_detail_shows_through_a_smooth_gain(piece: tuple[F32, F32]) -> None:
    rgb, alpha = piece
    lit = rgb * _smooth_gain(0.5)
    honest = identity_figures(rgb, alpha, lit, alpha)
    stone = _disk(210, 110, 38)[..., None] > 0.5
    melted = np.where(stone, cv2.GaussianBlur(lit, (0, 0), 4), lit)
    figures = identity_figures(rgb, alpha, melted, alpha)
    assert figures["psnr_db"] < honest["psnr_db"] - 6
    assert figures["ssim"] < honest["ssim"] - 0.02
    assert figures["edge_f1"] < honest["edge_f1"] - 0.1


def test_moved_stone_lowers_the_edges(piece: tuple[F32, F32]) -> None:
    rgb, alpha = piece
    moved = np.roll(rgb, 3, axis=1)
    figures = identity_figures(rgb, alpha, moved, alpha)
    assert figures["edge_f1"] < 0.9
    assert figures["psnr_db"] < 32


def test_unequal_grids_and_an_empty_piece_are_errors(piece: tuple[F32, F32]) -> None:
    rgb, alpha = piece
    with pytest.raises(ValueError, match="one pixel grid"):
        identity_figures(rgb, alpha, rgb[:-1], alpha[:-1])
    with pytest.raises(Unfit, match="Nothing of the piece"):
        identity_figures(rgb, alpha, rgb, np.zeros_like(alpha))
