"""What a lit surface sends to the camera. Owns the reflectance formulas; refuses patterns and geometry.

Units: a white matte ground under irradiance 1 has radiance 1, so each BRDF is multiplied by pi.

Sources: Charlie sheen distribution (Estevez & Kulla 2017, "Production Friendly Microfacet Sheen BRDF") with the
visibility term of Neubelt & Pettineo 2013; GGX (Walter et al. 2007) widened by the light's angular radius (Karis
2013, "Real Shading in Unreal Engine 4", area-light normalisation); Fresnel after Schlick 1994; wrapped diffuse as a
stand-in for light scattering between fibres (Green 2004, GPU Gems ch. 16).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pipeline.backdrop.filters import f32
from pipeline.light.gobo import light_pattern
from pipeline.rig import Light
from pipeline.values import F32

Direction = tuple[float, float, float]
LAMP_UNITS = 3.4  # distance of the lamps, units of the piece
FALLOFF_LIMIT = 1.5  # brightest spot of a lamp's pool, its brightness at the piece being 1
CAMERA_UNITS = 4.5  # distance of the lens, units of the piece, for highlights only


def dot(nx: F32, ny: F32, nz: F32, direction: Direction) -> F32:
    """Cosine between unit normals and a unit direction, not clipped."""
    result: F32 = (
        nx * np.float32(direction[0]) + ny * np.float32(direction[1]) + nz * np.float32(direction[2])
    )
    return result


def halfway(light: Direction, view: Direction) -> Direction:
    """Unit vector halfway between two unit directions."""
    x, y, z = (a + b for a, b in zip(light, view, strict=True))
    length = max(math.sqrt(x * x + y * y + z * z), 1e-6)
    return (x / length, y / length, z / length)


def arriving(light: Light, X: F32, Y: F32, Z: F32 | None = None) -> F32:
    """What a light sends to points of the set, before any cosine: strength, gobo or cone, and falling off with distance.

    The lamp stands `LAMP_UNITS` away (inverse square law, 1 at the piece), which draws the gradient that a real lamp
    draws across a background. X, Y, Z: float32 of one shape, units of the piece; Z None means on the ground.
    """
    lx, ly, lz = (np.float32(LAMP_UNITS * part) for part in light.direction)
    height = lz if Z is None else lz - Z
    distance2 = (X - lx) ** 2 + (Y - ly) ** 2 + height * height
    near = np.float32(LAMP_UNITS**2) / (distance2 + np.float32(1e-3))
    near = FALLOFF_LIMIT * near / (near + (FALLOFF_LIMIT - 1.0))  # a lamp is no point: no pole under it
    return f32(light_pattern(light, X, Y, Z) * near * np.float32(light.strength))


def wrapped(cosine: F32, wrap: float) -> F32:
    """Diffuse cosine that reaches past the terminator: 0 at cos = -wrap, 1 at cos = 1."""
    result: F32 = np.maximum(cosine + np.float32(wrap), 0.0) * np.float32(1.0 / (1.0 + wrap))
    return result


def charlie(n_l: F32, n_v: F32, n_h: F32, alpha: float) -> F32:
    """Sheen of upright fibres: pi * D * V * max(n.l, 0). alpha: 0.1 thin bright rim .. 1 broad."""
    inverse = 1.0 / alpha
    sine2 = np.clip(1.0 - n_h * n_h, 0.0, 1.0)
    D = np.float32(0.5 * (2.0 + inverse)) * np.power(sine2, np.float32(0.5 * inverse))
    to_light, to_view = np.clip(n_l, 0.0, 1.0), np.clip(n_v, 0.0, 1.0)
    return f32(D * to_light / (4.0 * np.maximum(to_light + to_view - to_light * to_view, 0.08)))


def schlick(f0: float, cosine: F32) -> F32:
    """Fresnel reflectance at the cosine of the angle of incidence."""
    c = np.clip(1.0 - cosine, 0.0, 1.0)
    c2 = c * c
    result: F32 = np.float32(f0) + np.float32(1.0 - f0) * c2 * c2 * c
    return result


@dataclass(frozen=True, slots=True)
class Polish:
    """A glossy coat and the lamp it mirrors. f0: reflectance head on. size_deg: angular radius of the lamp."""

    f0: float
    roughness: float
    size_deg: float


def gloss(n_l: F32, n_v: F32, n_h: F32, v_h: F32, polish: Polish) -> F32:
    """Highlight of an area light: pi * GGX BRDF * max(n.l, 0), the lobe widened by the light's disk."""
    alpha = max(polish.roughness**2, 0.01)
    wide = min(1.0, alpha + math.tan(math.radians(polish.size_deg)) / 3.0)
    a2 = wide * wide
    d = n_h * n_h * np.float32(a2 - 1.0) + 1.0
    D = np.float32(a2) / np.maximum(d * d, 1e-6)
    to_light, to_view = np.clip(n_l, 0.0, 1.0), np.clip(n_v, 1e-3, 1.0)
    k = wide / 2.0
    V = 1.0 / (4.0 * np.maximum((to_light * (1 - k) + k) * (to_view * (1 - k) + k), 1e-3))
    return f32(D * V * to_light * schlick(polish.f0, v_h))


def mirror_glow(X: F32, Y: F32, light: Direction, view: Direction, polish: Polish) -> F32:
    """Broad highlight of a light on a polished ground, seen by a camera a few units away.

    The picture itself is orthographic; a lens is not quite, and on a mirror those few degrees across the frame are
    what makes a highlight come and go. Returns radiance per unit of the light's strength, float32, shape of X.
    """
    away = np.float32(CAMERA_UNITS)
    vx, vy, vz = view[0] * away - X, view[1] * away - Y, np.full_like(X, view[2] * away)
    length = f32(1.0 / np.sqrt(vx * vx + vy * vy + vz * vz))
    vx, vy, vz = vx * length, vy * length, vz * length
    hx, hy, hz = vx + np.float32(light[0]), vy + np.float32(light[1]), vz + np.float32(light[2])
    length = f32(1.0 / np.sqrt(hx * hx + hy * hy + hz * hz))
    v_h = f32((vx * hx + vy * hy + vz * hz) * length)
    return gloss(np.full_like(X, light[2]), f32(vz), f32(hz * length), v_h, polish)
