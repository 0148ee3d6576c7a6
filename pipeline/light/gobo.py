"""What stands in front of a light: window panes and spot cones, as pure functions of ground coordinates.

Owns the two patterns; refuses images and cameras. Backdrop and compositor call the same functions, the backdrop at
ground points and the compositor at the points of the piece projected along the light, `(X - Z*lx/lz, Y - Z*ly/lz)`,
so that panes run unbroken from the ground over the piece.

Sources: a pane is a product of smoothsteps (Perlin 1989, "Hypertexture", the cubic 3t^2 - 2t^3); the width of the
penumbra of an area light grows with distance times the tangent of its angular radius, handed in as `softness_add`.
"""

from __future__ import annotations

import math

import numpy as np

from pipeline.rig import Cone, Gobo, Light
from pipeline.values import F32

SLANT = 0.22  # a window's patch on the ground is a parallelogram: the sun seldom stands square to the wall
SPREAD = 0.3  # how much the penumbra differs between the patch's two ends
FRONDS = (  # foot (x, y), direction in degrees, bow
    (-2.9, 1.9, -32.0, 0.10),
    (-2.1, -2.6, 62.0, -0.12),
    (2.9, 1.2, -158.0, 0.09),
)
FROND_LONG = 3.6
LEAFLET = 0.34  # distance of two leaflets along the stem
STEM = 0.02  # half its width
FALLOFF = 0.16  # share of light lost from the window's near corner to its far one (thicker glass path, sky gradient)


def smoothstep(low: float, high: float, value: F32) -> F32:
    """Cubic ramp 0..1 between `low` and `high`; a step when they meet."""
    t = np.clip((value - np.float32(low)) * np.float32(1.0 / max(high - low, 1e-6)), 0.0, 1.0)
    ramp: F32 = (t * t * (3.0 - 2.0 * t)).astype(np.float32, copy=False)
    return ramp


def _panes(along: F32, count: int, pane: float, bar: float, soft: F32) -> F32:
    """Sum of `count` soft boxes of width `pane`, `bar` apart, centred on 0. Neighbours' penumbrae add up."""
    total = np.zeros_like(along)
    half = np.float32(0.5) / soft
    for index in range(count):
        middle = (index - (count - 1) / 2) * (pane + bar)
        for edge, sign in ((middle - pane / 2, 1.0), (middle + pane / 2, -1.0)):
            t = np.clip((along - np.float32(edge)) * half + np.float32(0.5), 0.0, 1.0)
            total += np.float32(sign) * t * t * (3.0 - 2.0 * t)
    result: F32 = np.clip(total, 0.0, 1.0)
    return result


def _palm(u: F32, v: F32, soft: F32) -> F32:
    """Shade 0..1 of three palm fronds that reach in from outside; units: about the length of a leaflet."""
    shade = np.zeros_like(u)
    for x, y, turn_deg, bow in FRONDS:
        turn = math.radians(turn_deg)
        cos, sin = np.float32(math.cos(turn)), np.float32(math.sin(turn))
        dx, dy = u - np.float32(x), v - np.float32(y)
        along: F32 = dx * cos + dy * sin
        away: F32 = np.abs(dy * cos - dx * sin - np.float32(bow) * along * along)
        grown: F32 = np.clip(along / np.float32(FROND_LONG), 0.0, 1.0).astype(np.float32)
        np.maximum(shade, _frond(along, away, grown, soft), out=shade)
    return shade


def _frond(along: F32, away: F32, grown: F32, soft: F32) -> F32:
    """Cover of one frond. along: its stem; away: distance from it; grown: share of its length, 0..1."""
    # Leaflets are longest below the middle of the frond.
    reach = np.sin(np.float32(math.pi) * grown ** np.float32(0.6)) + np.float32(1e-3)
    place = (along - np.float32(0.75) * away) / np.float32(LEAFLET)
    middle = np.abs(place - np.floor(place) - np.float32(0.5)) * np.float32(LEAFLET)
    width = np.float32(0.30 * LEAFLET) * np.clip(1.0 - (away / reach) ** 2, 0.0, 1.0)
    leaf = smoothstep(-1.0, 1.0, ((width - middle) / soft).astype(np.float32))
    # The sun shines around what is narrower than its penumbra.
    leaf *= np.minimum(width / (np.float32(0.6) * soft), 1.0)
    stem = smoothstep(-1.0, 1.0, ((np.float32(STEM) - away) / soft).astype(np.float32))
    stem *= np.minimum(np.float32(STEM) / soft, 1.0)
    ends = smoothstep(0.0, 2.0, (along / soft).astype(np.float32)) * smoothstep(0.0, 0.2, 1.0 - grown)
    cover: F32 = np.maximum(leaf, stem) * ends
    return cover


def gobo_mask(gobo: Gobo, X: F32, Y: F32, softness_add: float = 0.0) -> F32:
    """Light that a window lets through at ground points.

    X, Y: float32 of one shape, units of the piece. softness_add: extra half width of the penumbra, same units.
    The near end of the patch comes from the window's top, so it has come further: softer and a little fainter.
    Returns float32 of that shape, `gobo.leak`..1.
    """
    turn = math.radians(gobo.turn_deg)
    cos, sin = np.float32(math.cos(turn)), np.float32(math.sin(turn))
    dx, dy = X - np.float32(gobo.center[0]), Y - np.float32(gobo.center[1])
    v = cos * dy - sin * dx
    u = cos * dx + sin * dy - np.float32(SLANT) * v
    tall = gobo.pane * gobo.tall
    reach = 0.5 * gobo.rows * (tall + gobo.bar)
    nearness = smoothstep(-reach, reach, -v)
    soft = np.float32(gobo.softness + max(0.0, softness_add)) * (1.0 - SPREAD + 2.0 * SPREAD * nearness)
    if gobo.kind == "palm":
        size = np.float32(gobo.pane)
        through = 1.0 - _palm(*((one / size).astype(np.float32) for one in (u, v, soft)))
    else:
        through = _panes(u, gobo.columns, gobo.pane, gobo.bar, soft)
        through *= _panes(v, gobo.rows, tall, gobo.bar, soft)
    mask = np.float32(gobo.leak) + np.float32(1.0 - gobo.leak) * through * (1.0 - FALLOFF * nearness)
    return mask.astype(np.float32, copy=False)


def cone_mask(cone: Cone, X: F32, Y: F32, softness_add: float = 0.0) -> F32:
    """Light of a spot at ground points: 1 inside `cone.inner`, 0 outside `cone.outer`. Float32, shape of X."""
    outer = max(cone.outer, cone.inner) + max(0.0, softness_add)
    return smoothstep(-outer, -cone.inner, -np.sqrt(X * X + Y * Y))


def light_pattern(light: Light, X: F32, Y: F32, Z: F32 | None = None) -> F32:
    """Gobo times cone of one light at world points; 1 where it has neither.

    X, Y, Z: float32 of one shape, units of the piece; Z None means on the ground. Points are carried down to the
    ground along the light before the pattern is read, so a raised point takes the pane its shadow lies in.
    """
    pattern = np.ones_like(X)
    if light.gobo is None and light.cone is None:
        return pattern
    if Z is not None:
        lx, ly, lz = light.direction
        X = X - Z * np.float32(lx / lz)
        Y = Y - Z * np.float32(ly / lz)
    if light.gobo is not None:
        pattern *= gobo_mask(light.gobo, X, Y)
    if light.cone is not None:
        pattern *= cone_mask(light.cone, X, Y)
    return pattern
