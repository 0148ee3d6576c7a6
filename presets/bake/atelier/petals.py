"""Silk strewn with petals, away from the piece. Owns their shape and where they fall; refuses lamps and camera."""

import math

import numpy as np

from presets.bake.atelier import forms
from presets.bake.atelier.shader import Graph
from presets.bake.atelier.surfaces import cloth_heights, silk_cloth


def petals(site):
    """Heavy silk strewn with rose petals, away from the piece."""
    _petalled(site, silk_cloth(site), _petal(site))


def petals_mask(site):
    """The petals are of the colour `detail`, some paler."""
    _petalled(site, Graph("none").emit(0.0, 0.0, 0.0), Graph("petal").emit(0.0, 1.0, 0.0))


def _petal(site):
    g = Graph("petal", site.paint)
    veins = g.bump(g.noise(26.0, 3.0, 0.6), 0.008)
    return g.lobes(
        body=g.span(g.noise(3.0, 3.0), 0.3, 0.7, 0.7, 1.0),
        body_normal=veins,
        sheen=0.25,
        sheen_rough=0.6,
        gloss=g.polish(rough=0.45, ior=1.35, normal=veins),
    )


def _petalled(site, cloth, petal):
    heights = cloth_heights(
        site, excess=0.13, bending=0.0007, weight=0.024, gather=(-6.0, 6.0), wander=0.4, tallest=0.34
    )
    forms.field(site.bed, heights).data.materials.append(cloth)
    rng = np.random.Generator(np.random.PCG64([site.seed, 4]))
    X, Y = site.bed.grid()
    x, y = X.ravel(), Y.ravel()
    table = site.view == "table"
    reach = (1.5, -1.2, 3.4) if table else (1.3, -1.7, 1.7)
    count = 26 if table else 16
    while count:
        px, py = rng.uniform(-reach[0], reach[0]), rng.uniform(reach[1], reach[2])
        # Thick at the upper right and lower left, thin elsewhere, none where the piece stands.
        drift = abs(px * 0.8 - (py - 0.2) * 0.6 + 0.2 * math.sin(3 * py))
        # In front of the piece lie none either: they would have to hide it.
        stands = math.hypot(px / 0.8, py / (1.0 if table else 0.8)) < 1.0 or (
            table and py < 0 and abs(px) < 0.9
        )
        if stands or rng.random() > math.exp(-drift * drift / 0.5):
            continue
        near = np.argmin((x - px) ** 2 + (y - py) ** 2)
        _one_petal(px, py, float(heights.ravel()[near]), rng).data.materials.append(petal)
        count -= 1


def _one_petal(x, y, z, rng):
    """A cupped petal, broad at the tip, curled at its rim."""
    u, v = np.meshgrid(np.linspace(-1, 1, 25), np.linspace(0.0, 1, 31) ** 0.7)
    width = 0.56 * v**0.6 * np.sqrt(np.maximum(1 - v**5, 0)) + 0.03
    size = rng.uniform(0.36, 0.5)
    ruffle = 0.02 * np.sin(5 * u + rng.uniform(0, 6)) * v**2
    px, py = u * width * (1 + 0.08 * rng.normal()), v - 0.5 + ruffle
    cup, curl = rng.uniform(0.35, 0.7), rng.uniform(0.2, 0.5)
    rim = np.maximum(np.hypot(u, 0.9 * v) - 0.85, 0)
    pz = (
        cup * (px**2 + 0.5 * (py + 0.1) ** 2)
        - curl * rim**2 * 2
        + 0.03 * np.sin(3 * u + rng.uniform(0, 6)) * v**2
    )
    points = np.stack([px, py, pz], -1) * size
    turn, tip, roll = rng.uniform(0, 2 * np.pi), rng.normal(0, 0.35), rng.normal(0, 0.35)
    for angle, (a, b) in ((tip, (1, 2)), (roll, (0, 2)), (turn, (0, 1))):
        c, s = math.cos(angle), math.sin(angle)
        pa, pb = points[..., a].copy(), points[..., b].copy()
        points[..., a], points[..., b] = c * pa - s * pb, s * pa + c * pb
    points[..., 2] -= points[..., 2].min() - 0.004
    return forms.sheet(points + (x, y, z))
