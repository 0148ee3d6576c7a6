"""What the pieces lie on, each as a mesh with a material of three lobes. Owns shapes and textures; refuses lamps and camera.

A surface is a function of its `Site`; a stone has a second function that shows its veins and clouds as a mask: red the
share of the `accent` colour, green the share of `detail`, the rest is `base`.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from presets.bake.atelier import forms
from presets.bake.atelier.shader import Graph
from presets.bake.drape import Bed, Cloth, wave
from presets.bake.kept import draped

SPUN_AT = {"table": 0.25, "flat": 0.0}  # where the turns of spun metal have their middle, y in units
FINE = 0.0045  # cell of a mesh with an edge, units


@dataclass(frozen=True, slots=True)
class Site:
    """Where a surface is built. view: "table" or "flat". paint: see `Graph`. rough: of a plain ground's gloss."""

    view: str
    seed: int
    paint: dict | None = None
    rough: float = 0.5

    @property
    def bed(self):
        """Ground under the canvas with room for folds and their shadows."""
        return Bed(-2.1, -3.0, 4.2, 8.8) if self.view == "table" else Bed(-2.1, -2.6, 4.2, 5.2)

    @property
    def calm(self):
        """The ellipse around the piece that stays smooth: (x, y, radius x, radius y)."""
        return (0.0, 0.0, 0.62, 0.62) if self.view == "table" else (0.0, 0.0, 0.46, 0.46)


def cloth_heights(site, *, excess, bending, weight, gather, wander=0.25, fine=0.0, tallest=0.42):
    """Heights of draped cloth on the site's bed; fine: height of a second, smaller set of wrinkles."""
    main = Cloth(excess, bending, weight, gather, site.calm, wander, tallest=tallest)
    heights = draped(site.bed, main, site.seed)
    if fine:
        small = Cloth(0.05, bending / 12, weight, (-gather[0], gather[1]), site.calm, 0.6, 500, fine)
        heights = heights + draped(site.bed, small, site.seed + 1)
    return heights


def _cloth(site, **folds):
    return forms.field(site.bed, cloth_heights(site, **folds))


def velvet(site):
    """Silk velvet: a dark body, a wide sheen of upright fibres, brushed this way and that."""
    obj = _cloth(site, excess=0.17, bending=0.0007, weight=0.025, gather=(-5.0, 6.5), wander=0.35)
    g = Graph("velvet", site.paint)
    stroke = g.noise(0.9, 2.0, 0.5, g.at((1.0, 0.55, 1.0), (0, 0, 0.6)), 0.8)
    brushed = g.span(stroke, 0.42, 0.6)
    above = site.view == "flat"  # the lens looks along the fibres: a stronger brush, a wider lobe
    nap = g.bump(brushed, 0.05 if above else 0.025, 1.0, g.bump(g.noise(4.0, 3.0, 0.55), 0.007))
    obj.data.materials.append(
        g.lobes(
            body=g.span(stroke, 0.35, 0.65, 0.85, 1.0),
            sheen=g.span(brushed, 0, 1, 0.6 if above else 0.78, 1.0),
            sheen_rough=0.7 if above else 0.42,
            sheen_normal=nap,
        )
    )


def suede(site):
    """Suede laid over a soft swell: short nap, finger marks, no fold sharper than a thumb."""
    rng = np.random.Generator(np.random.PCG64(site.seed))
    X, _ = site.bed.grid()
    swell = 0.06 * wave(rng, X.shape, 0.8 / site.bed.cell) + 0.02 * wave(rng, X.shape, 0.3 / site.bed.cell)
    obj = forms.field(site.bed, swell - swell.min())
    g = Graph("suede", site.paint)
    marks = g.span(g.noise(1.3, 4.0, 0.6, g.at((1.0, 0.6, 1.0), (0, 0, -0.5)), 1.2), 0.4, 0.6)
    tooth = g.bump(g.noise(60.0, 3.0, 0.7), 0.004)
    nap = g.bump(marks, 0.03, 1.0, tooth)
    obj.data.materials.append(
        g.lobes(
            body=g.span(marks, 0, 1, 0.8, 1.0),
            body_normal=tooth,
            sheen=0.8,
            sheen_rough=0.6,
            sheen_normal=nap,
        )
    )


def satin(site):
    """Heavy duchess satin: liquid folds, a soft highlight stretched across the threads."""
    obj = _cloth(site, excess=0.16, bending=0.0006, weight=0.022, gather=(5.5, 7.0), wander=0.4, tallest=0.45)
    g = Graph("satin", site.paint)
    fair = g.bump(g.noise(2.5, 3.0, 0.5), 0.012)
    gloss = g.polish(rough=g.span(g.noise(1.5, 3.0), 0.3, 0.7, 0.33, 0.4), metal=0.5, normal=fair)
    obj.data.materials.append(g.lobes(body=0.85, sheen=0.4, sheen_rough=0.5, gloss=gloss))


def silk(site):
    """Charmeuse, light and fluid: narrow folds that fan out from one hand, a tight highlight in its own colour."""
    obj = _cloth(
        site, excess=0.18, bending=0.00045, weight=0.022, gather=(-2.6, 3.6), wander=0.3, tallest=0.36
    )
    obj.data.materials.append(silk_cloth(site))


def silk_cloth(site):
    """The material alone."""
    g = Graph("silk", site.paint)
    weave = g.bump(g.noise(2.5, 3.0, 0.5), 0.01)
    gloss = g.polish(rough=g.span(g.noise(1.5, 3.0), 0.3, 0.7, 0.28, 0.36), metal=0.45, normal=weave)
    return g.lobes(body=0.85, sheen=0.3, sheen_rough=0.5, gloss=gloss)


def sand(site):
    """Fine dune sand with wind ripples that die away around the piece."""
    rng = np.random.Generator(np.random.PCG64(site.seed))
    bed = site.bed
    X, Y = bed.grid()
    bend = 0.30 * wave(rng, X.shape, 0.8 / bed.cell) + 0.06 * wave(rng, X.shape, 0.25 / bed.cell)
    turn = math.radians(24)
    phase = (Y * math.cos(turn) + X * math.sin(turn) + bend) / 0.36
    t = phase - np.floor(phase)
    crest = np.where(t < 0.68, t / 0.68, (1 - t) / 0.32)
    crest = crest * crest * (3 - 2 * crest)
    x, y, rx, ry = site.calm
    away = np.clip((np.hypot((X - x) / rx, (Y - y) / ry) - 0.4) / 0.8, 0, 1)
    vary = np.clip(0.75 + 0.3 * wave(rng, X.shape, 0.6 / bed.cell), 0.2, 1.3)
    h = 0.055 * crest * vary * (0.12 + 0.88 * away) + 0.035 * wave(rng, X.shape, 1.0 / bed.cell)
    obj = forms.field(bed, h - h.min())
    g = Graph("sand", site.paint)
    grains = g.bump(g.noise(220.0, 2.0, 0.7), 0.0035, 1.0, g.bump(g.noise(45.0, 3.0, 0.6), 0.006))
    speck = g.span(g.noise(160.0, 2.0, 0.6), 0.3, 0.7, 0.75, 1.0)
    obj.data.materials.append(g.lobes(body=speck, body_normal=grains, sheen=0.15, sheen_rough=0.7))


def plaster(site):
    """Trowelled lime plaster: broad strokes, a fine tooth."""
    rng = np.random.Generator(np.random.PCG64(site.seed))
    X, _ = site.bed.grid()
    h = 0.012 * wave(rng, X.shape, 0.5 / site.bed.cell)
    obj = forms.field(site.bed, h - h.min())
    g = Graph("plaster", site.paint)
    where = g.at((1.0, 0.5, 1.0), (0, 0, 0.35))
    strokes = g.noise(1.3, 5.0, 0.58, where, 0.9)
    ridges = g.math("ABSOLUTE", g.math("SUBTRACT", g.noise(0.9, 2.0, 0.4, where, 1.2), 0.5))
    edge = g.span(ridges, 0.0, 0.05, 0.0, 1.0)
    relief = g.bump(edge, 0.004, 1.0, g.bump(strokes, 0.05, 1.0, g.bump(g.noise(40.0, 4.0, 0.7), 0.005)))
    tone = g.span(strokes, 0.3, 0.7, 0.86, 1.0)
    obj.data.materials.append(
        g.lobes(body=tone, body_normal=relief, gloss=g.polish(rough=0.5, normal=relief))
    )


def paper(site):
    """Heavy cotton paper that sweeps up behind the piece, with one bent sheet beside it."""
    rng = np.random.Generator(np.random.PCG64(site.seed))
    X, Y = site.bed.grid()
    rise = 0.22 if site.view == "table" else 0.0
    h = rise * np.maximum(Y + 0.22 * X - 1.1, 0) ** 2
    lift = np.clip(
        (0.42 * X - 0.75 * Y - 0.8 + 0.05 * wave(rng, X.shape, 1.2 / site.bed.cell)) / 0.5, 0, None
    )
    other = np.clip((-0.8 * X + 0.45 * Y - 0.95) / 0.6, 0, None)
    h = h + 0.2 * (1 - np.exp(-lift * lift)) + 0.24 * (1 - np.exp(-other * other))
    obj = forms.field(site.bed, h)
    g = Graph("paper", site.paint)
    tooth = g.bump(g.noise(34.0, 4.0, 0.65), 0.005)
    obj.data.materials.append(g.lobes(body=1.0, body_normal=tooth))


def plain(site):
    """A flat ground without a mark: where a picture's own set is painted, it shows what a piece does to the light there."""
    g = Graph("plain", site.paint)
    _stone(site, g.lobes(gloss=g.polish(rough=max(site.rough, 0.03))))


def _stone(site, graph):
    forms.slab(site.bed).data.materials.append(graph)


def marble(site):
    """A polished slab; what it mirrors wavers by a hair. Its veins are painted at run time: no two photos need share them."""
    g = Graph("marble", site.paint)
    fair = g.bump(g.noise(0.8, 2.0), 0.004)
    smear = g.span(g.noise(1.4, 4.0, 0.6), 0.35, 0.7, 0.07, 0.13)
    _stone(site, g.lobes(gloss=g.polish(rough=smear, normal=fair)))


def travertine(site):
    """Vein-cut travertine, honed: pits along its layers."""
    g = Graph("travertine", site.paint)
    pits, _ = _travertine(g, site.view)
    relief = g.bump(
        g.math("SUBTRACT", 1.0, pits),
        0.02 if site.view == "flat" else 0.035,
        1.0,
        g.bump(g.noise(30.0, 4.0, 0.6), 0.003),
    )
    _stone(site, g.lobes(body_normal=relief, gloss=g.polish(rough=0.34, normal=relief)))


def _travertine(g, view):
    """(pits 0..1, layers 0..1). From above all pits are in focus, so they are finer and fewer there."""
    scale, rarest = (26.0, 0.62) if view == "flat" else (15.0, 0.58)
    flow = g.at((0.42, 1.0, 1.0), (0, 0, 0.3))
    layers = g.noise(1.9, 7.0, 0.6, flow, 0.5)
    holes = g.noise(scale, 4.0, 0.6, g.at((0.5, 1.0, 1.0), (0, 0, 0.3)), 1.0)
    zone = g.span(g.noise(2.3, 3.0, 0.5, flow), 0.46, 0.62)
    return g.math("MULTIPLY", g.span(holes, rarest, rarest + 0.06), zone), layers


def travertine_mask(site):
    """Layers of cream and honey, dark in the pits."""
    g = Graph("mask")
    pits, bands = _travertine(g, site.view)
    warm = g.math("MULTIPLY", g.span(bands, 0.38, 0.68), 0.6)
    grain = g.math("MULTIPLY", g.span(g.noise(20.0, 5.0, 0.7), 0.42, 0.75), 0.35)
    _stone(site, g.emit(g.math("MULTIPLY", pits, 0.85), g.math("ADD", warm, grain, clamp=True), 0.0))


def slate(site):
    """Riven slate: a stack of thin layers broken away in steps, each face finely rippled; smoother where the piece stands."""
    rng = np.random.Generator(np.random.PCG64(site.seed))
    bed = replace(site.bed, cell=0.012)
    X, Y = bed.grid()
    drift = 0.55 * wave(rng, X.shape, 0.6 / bed.cell) + 0.16 * wave(rng, X.shape, 0.14 / bed.cell)
    drift = drift + 0.05 * wave(rng, X.shape, 0.04 / bed.cell)
    level = (0.35 * X + 0.5 * Y + drift) / 0.3
    x, y, rx, ry = site.calm
    away = np.clip((np.hypot((X - x) / rx, (Y - y) / ry) - 0.6) / 0.7, 0, 1)
    level = level * (0.25 + 0.75 * away)
    share = level - np.floor(level)
    step = np.floor(level) + np.clip((share - 0.93) / 0.07, 0, 1)
    h = 0.014 * step + 0.003 * share + 0.004 * wave(rng, X.shape, 0.3 / bed.cell)
    obj = forms.field(bed, h - h.min())
    g = Graph("slate", site.paint)
    ripples = g.noise(7.0, 10.0, 0.72, g.at((1.0, 0.55, 1.0), (0, 0, 0.6)), 0.3)
    chips = g.span(g.noise(38.0, 6.0, 0.7), 0.35, 0.65)
    relief = g.bump(ripples, 0.085, 1.0, g.bump(chips, 0.009, 1.0, g.bump(g.noise(150.0, 3.0, 0.7), 0.0025)))
    tone = g.span(g.noise(2.6, 9.0, 0.72), 0.3, 0.7, 0.62, 1.0)
    gloss = g.polish(rough=g.span(ripples, 0.3, 0.7, 0.5, 0.34), ior=1.6, normal=relief)
    obj.data.materials.append(g.lobes(body=tone, body_normal=relief, gloss=gloss))


def spun_metal(site):
    """A turned sheet: fine grooves around the piece, so that every lamp draws a fan of light through the middle."""
    g = Graph("spun", site.paint)
    split = g.node("SeparateXYZ", {"Vector": g.place})
    x, y = split.outputs["X"], g.math("SUBTRACT", split.outputs["Y"], SPUN_AT[site.view])
    radius = g.math("SQRT", g.math("ADD", g.math("MULTIPLY", x, x), g.math("MULTIPLY", y, y)))
    along = g.node("CombineXYZ", {"X": radius}).outputs["Vector"]
    grooves = g.noise(44.0, 5.0, 0.75, along)
    fair = g.bump(g.noise(7.0, 3.0, 0.6, along), 0.006, 1.0, g.bump(g.noise(0.9, 2.0), 0.015))
    relief = g.bump(grooves, 0.0022, 1.0, fair)
    tangent = g.node("CombineXYZ", {"X": g.math("MULTIPLY", y, -1.0), "Y": x, "Z": 0.0}).outputs["Vector"]
    gloss = g.polish(
        rough=g.span(grooves, 0.3, 0.7, 0.36, 0.5),
        metal=g.span(grooves, 0.3, 0.7, 0.35, 0.6),
        anisotropy=0.72,
        tangent=tangent,
        normal=relief,
    )
    _stone(site, g.lobes(body=g.span(grooves, 0.3, 0.7, 0.3, 0.46), gloss=gloss))


def smoked_glass(site):
    """A thick sheet of dark glass on matte ground, its edges rounded and bright; laid at a slant."""
    heights = _sheet_heights(site)
    g = Graph("glass", site.paint)
    inside = g.span(g.node("SeparateXYZ", {"Vector": g.place}).outputs["Z"], -0.155, -0.145)
    fair = g.bump(g.noise(0.8, 2.0), 0.003)
    gloss = g.polish(rough=g.span(inside, 0, 1, 0.6, 0.05), ior=1.75, normal=fair)
    body = g.span(inside, 0, 1, 1.0, 0.9)
    forms.field(replace(site.bed, cell=FINE), heights).data.materials.append(g.lobes(body=body, gloss=gloss))


def smoked_glass_mask(site):
    """The ground beside the sheet is of the colour `detail`."""
    g = Graph("mask")
    outside = g.span(g.node("SeparateXYZ", {"Vector": g.place}).outputs["Z"], -0.155, -0.145, 1.0, 0.0)
    forms.field(replace(site.bed, cell=FINE), _sheet_heights(site)).data.materials.append(
        g.emit(0.0, outside, 0.0)
    )


def _sheet_heights(site):
    """0 on the sheet, -0.16 beside it."""
    X, Y = replace(site.bed, cell=FINE).grid()
    turn, half, middle = (
        (0.28, (1.15, 1.5), (0.1, -0.2)) if site.view == "table" else (0.3, (0.74, 0.74), (0.0, 0.0))
    )
    c, s = math.cos(turn), math.sin(turn)
    u, v = c * (X - middle[0]) + s * (Y - middle[1]), c * (Y - middle[1]) - s * (X - middle[0])
    corner, rim = 0.12, 0.045
    du, dv = np.abs(u) - half[0] + corner, np.abs(v) - half[1] + corner
    away = np.hypot(np.maximum(du, 0), np.maximum(dv, 0)) + np.minimum(np.maximum(du, dv), 0) - corner
    t = np.clip(away / rim + 1, 0, 1)
    rounded = rim * (np.sqrt(np.maximum(1 - t * t, 0)) - 1)
    wall = np.clip(away / (3 * FINE), 0, 1)  # a little aslant: the mesh would draw an upright one in steps
    return rounded + wall * (rim - 0.16)
