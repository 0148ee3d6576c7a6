"""Lights far out of focus, strings of them and dust of metal. Owns the discs; refuses grounds and lit surfaces.

A point of light out of focus is the image of the aperture: a polygon of even brightness whose area times radiance
stays the same (energy conserved), cut to a cat's eye toward the corners by the lens barrel (mechanical vignetting).
"""

from __future__ import annotations

import math

import numpy as np

from pipeline.backdrop.filters import enlarged, enlarged_smoothly, f32, gaussian, shrunk
from pipeline.backdrop.stage import Stage
from pipeline.light.gobo import smoothstep
from pipeline.values import F32

BLADES = 9
WALL_AT = 0.40  # height of the picture, from the top, where the strings of lights end and the lacquer begins


def bokeh(stage: Stage) -> F32:
    """Radiance of all lights and of their mirror image in the lacquer, full size (H, W, 3)."""
    rng = stage.generator("festive lights")
    lights = [] if stage.surface.pattern == "sparkle" else _lights(stage, rng)
    lights += _glitter(stage, rng)
    image = np.zeros((stage.height, stage.width, 3), dtype=np.float32)
    for spot in lights:
        _stamp(image, stage, spot)
    shape = (stage.height, stage.width)
    halo = gaussian(shrunk(image, (shape[0] // 8, shape[1] // 8)), 7.0 * stage.px)
    halo = enlarged_smoothly(halo, shape)
    image += 0.35 * np.maximum(halo, 0.0)
    if stage.view == "table":
        image += _mirrored(stage, image)
    return image


Spot = tuple[float, float, float, float, F32]


def _lights(stage: Stage, rng: np.random.Generator) -> list[Spot]:
    curtain = stage.surface.pattern == "curtain"
    if stage.view == "flat":
        return _garlands(stage, rng) if curtain else _scattered(stage, rng)
    return _curtain(stage, rng) if curtain else _strings(stage, rng)


def _garlands(stage: Stage, rng: np.random.Generator) -> list[Spot]:
    """Strings of small lights laid around the piece on the cloth, nearly in focus."""
    spots: list[Spot] = []
    for k in range(3):
        wave, turn = rng.uniform(0.03, 0.06), rng.uniform(0, 2 * math.pi)
        for j in range(22):
            angle = (j + rng.uniform(-0.3, 0.3)) * 2 * math.pi / 22 + k * 0.7
            c, d = math.cos(angle), math.sin(angle)
            away = 0.46 / (c**4 + d**4) ** 0.25  # a square with round corners, inside the frame
            away += wave * math.sin((3 + k) * angle + turn)
            x, y = 0.5 + away * c, 0.5 + away * d
            radius = rng.uniform(4.0, 7.5) * stage.surface.scale * stage.px
            color = stage.accent() if rng.random() < 0.85 else stage.detail()
            spots.append((x * stage.width, y * stage.height, radius, rng.lognormal(0, 0.5) * 2.4, color))
    return spots


def _curtain(stage: Stage, rng: np.random.Generator) -> list[Spot]:
    """A curtain of small lights: threads that hang straight down, dense, two rows deep."""
    spots: list[Spot] = []
    for depth, count in ((1.0, 9), (0.45, 17)):
        for k in range(count):
            x = (k + 0.5 + rng.uniform(-0.28, 0.28)) / count
            step = 0.034 + 0.022 * depth
            y, foot = rng.uniform(-0.02, step), WALL_AT + 0.05 - 0.10 * rng.random()
            while y < foot:
                radius = (9 + 17 * depth) * rng.uniform(0.9, 1.1) * stage.surface.scale * stage.px
                power = rng.lognormal(0.0, 0.5) * (0.55 - 0.28 * depth)
                color = stage.accent() if rng.random() < 0.85 else stage.detail()
                at = (x + rng.uniform(-0.004, 0.004)) * stage.width, y * stage.height
                spots.append((*at, radius, power, color))
                y += step * rng.uniform(0.85, 1.15)
    return spots


def _strings(stage: Stage, rng: np.random.Generator) -> list[Spot]:
    """Strings of lights hanging behind the set, nearer strings with larger, fainter discs."""
    spots: list[Spot] = []
    scale, accent, detail = stage.surface.scale, stage.accent(), stage.detail()
    for _ in range(9):
        depth = rng.uniform(0.35, 1.0)
        x0, sag = rng.uniform(-0.3, 0.5), rng.uniform(0.03, 0.22)
        y0, tilt = rng.uniform(-0.06, WALL_AT - 0.12), rng.uniform(-0.16, 0.16)
        span, count = rng.uniform(0.5, 1.1), int(rng.integers(7, 14))
        for k in range(count):
            t = (k + rng.uniform(-0.25, 0.25)) / (count - 1)
            x = x0 + span * t
            y = y0 + tilt * t + sag * 4 * t * (1 - t) + rng.uniform(-0.012, 0.012)
            radius = (11 + 46 * depth**2) * rng.uniform(0.85, 1.12) * scale * stage.px
            color = accent if rng.random() < 0.78 else detail
            power = rng.lognormal(0.0, 0.7) * 0.26 / (0.30 + depth**2)
            spots.append((x * stage.width, y * stage.height, radius, power, color))
    return spots


def _scattered(stage: Stage, rng: np.random.Generator) -> list[Spot]:
    """Lights strewn around the edge of a flat-lay, thinning out toward the piece."""
    spots: list[Spot] = []
    while len(spots) < 34:
        x, y = rng.uniform(-0.05, 1.05, 2)
        away = math.hypot(x - 0.5, y - 0.5)
        if rng.random() > smooth(0.50, 0.74, away):
            continue
        depth = rng.uniform(0.2, 1.0)
        radius = (26 + 74 * depth**2) * stage.surface.scale * stage.px
        color = stage.accent() if rng.random() < 0.78 else stage.detail()
        spots.append(
            (
                x * stage.width,
                y * stage.height,
                radius,
                rng.lognormal(0, 0.5) * 0.10 / (0.35 + depth**2),
                color,
            )
        )
    return spots


def _glitter(stage: Stage, rng: np.random.Generator) -> list[Spot]:
    """Metal dust strewn on the ground: a point in focus, a disc that grows and pales with the lens blur elsewhere."""
    spots: list[Spot] = []
    scale, (ox, oy) = stage.ground.unit_px, stage.ground.origin
    sparkle = stage.surface.pattern == "sparkle"
    grains = (260 if stage.view == "table" else 620) * (12 if sparkle else 1)
    sweep = rng.uniform(-0.5, 0.5), rng.uniform(0.35, 0.75)
    for _ in range(int(grains * stage.surface.relief)):
        x, y = (
            rng.uniform(0, stage.width),
            rng.uniform(0 if stage.view == "flat" else 0.30 * stage.height, stage.height),
        )
        X, Y = (x - ox) / scale, (oy - y) / (scale * stage.sin_e)
        power = rng.lognormal(0.0, 0.9)
        if rng.random() > smooth(0.45, 1.15, math.hypot(X / 0.9, Y / 1.0)):
            continue
        if sparkle and rng.random() > _swept(X, Y, sweep):
            continue
        blur = float(stage.defocus_px(np.full(1, Y, dtype=np.float32))[0])
        radius = (rng.uniform(0.7, 2.4 if sparkle else 1.5) + 1.9 * blur) * stage.px
        strength = min(2.0, 0.55 * power * (1.6 * stage.px / radius) ** 2) + 0.012 * power
        color = stage.accent() if not sparkle or rng.random() < 0.7 else stage.detail()
        spots.append((x, y, radius, strength * (1.5 if sparkle else 1.0), color))
    return spots


def _swept(X: float, Y: float, sweep: tuple[float, float]) -> float:
    """Chance 0..1 of a grain where a hand has thrown them: in two bands that bend around the piece."""
    slope, offset = sweep
    across = abs(Y - slope * X - 0.25 * X * X)
    return 0.10 + 0.90 * math.exp(-(((across - offset) / 0.26) ** 2))


def smooth(low: float, high: float, value: float) -> float:
    """Scalar smoothstep."""
    t = min(1.0, max(0.0, (value - low) / (high - low)))
    return t * t * (3 - 2 * t)


def _stamp(image: F32, stage: Stage, spot: Spot) -> None:
    """Add one disc of the aperture's shape."""
    x, y, radius, power, color = spot
    reach = math.ceil(radius + 3)
    left, top = max(0, int(x) - reach), max(0, int(y) - reach)
    right, bottom = min(stage.width, int(x) + reach + 1), min(stage.height, int(y) + reach + 1)
    if left >= right or top >= bottom:
        return
    dx, dy = np.meshgrid(
        np.arange(left, right, dtype=np.float32) - np.float32(x),
        np.arange(top, bottom, dtype=np.float32) - np.float32(y),
    )
    away = np.sqrt(dx * dx + dy * dy)
    wedge = 2 * math.pi / BLADES
    angle = np.mod(np.arctan2(dy, dx) + np.float32(0.3), np.float32(wedge)) - np.float32(wedge / 2)
    polygon = away * (1.0 + 0.55 * (np.cos(angle) / math.cos(wedge / 2) - 1.0))
    off_x, off_y = (x / stage.width - 0.5), (y / stage.height - 0.5)
    cut = 0.75 * max(0.0, math.hypot(off_x, off_y) - 0.22)
    barrel = np.sqrt((dx + off_x * cut * 2.2 * radius) ** 2 + (dy + off_y * cut * 2.2 * radius) ** 2)
    edge = max(0.8, 0.05 * radius)
    inside = smoothstep(-edge, edge, f32(radius - polygon)) * smoothstep(
        -edge, edge, f32(radius * 1.02 - barrel)
    )
    rim = 0.86 + 0.22 * smoothstep(0.55, 1.0, f32(away / radius))
    hot = color + (1.0 - color) * np.float32(0.35 * min(1.0, power))  # bright lights bleach toward white
    image[top:bottom, left:right] += (np.float32(power) * inside * rim)[..., None] * hot


def _mirrored(stage: Stage, image: F32) -> F32:
    """The lights in the lacquer: upside down below the wall's foot, smeared downward, weaker."""
    foot = int((WALL_AT + 0.06) * stage.height)
    rows = min(foot, stage.height - foot)
    mirror = np.zeros_like(image)
    mirror[foot : foot + rows] = image[foot - rows : foot][::-1]
    small = shrunk(mirror, (stage.height // 4, stage.width // 4))
    small = gaussian(small, 4.0 * stage.px, 13.0 * stage.px)
    mirror = enlarged(small, (stage.height, stage.width))
    y = np.arange(stage.height, dtype=np.float32)[:, None, None] / np.float32(stage.height)
    weight = np.float32(stage.surface.reflection) * smoothstep(WALL_AT - 0.05, WALL_AT + 0.2, y)
    result: F32 = mirror * weight * (1.0 - 0.6 * smoothstep(0.5, 1.0, y))
    return result
