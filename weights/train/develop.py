"""From scene light to the pixels a shop's camera would give. Owns exposure, cast, lens, sensor, tone; refuses files.

Pure numpy, so that training can develop one set of layers again and again.
"""

import numpy as np
from numpy.typing import NDArray

from weights.train.spec import Shot

Floats = NDArray[np.floating]


def _soften(x: Floats, sigma: float) -> Floats:
    """Gaussian blur over rows and columns, sigma in px."""
    r = max(1, int(3 * sigma + 0.5))
    k = np.exp(-0.5 * (np.arange(-r, r + 1) / sigma) ** 2)
    k /= k.sum()
    for axis in (0, 1):
        pad = [(r, r) if a == axis else (0, 0) for a in range(x.ndim)]
        wide = np.pad(x, pad, mode="edge")
        n = x.shape[axis]
        x = sum(w * np.take(wide, range(i, i + n), axis=axis) for i, w in enumerate(k))
    return x


def _encode(x: Floats) -> Floats:
    """Linear → sRGB, 0…1."""
    return np.where(x <= 0.0031308, 12.92 * x, 1.055 * np.maximum(x, 1e-9) ** (1 / 2.4) - 0.055)


def _decode(v: float) -> float:
    return float(((v + 0.055) / 1.055) ** 2.4)


def exposed(photo: Floats, ground: Floats, alpha: Floats, shot: Shot) -> Floats:
    """Bring the open ground to the display value the shot asks for; dark grounds are exposed for the piece."""
    open_ground = ground[alpha < 0.004]
    level = float(np.median(open_ground.mean(-1))) if open_ground.size else 1.0
    on = photo[alpha > 0.5].mean(-1) if (alpha > 0.5).any() else np.ones(1)
    # A dark cloth is not lifted to white: the piece's own highlights bound the gain.
    gain = min(
        _decode(shot.white) / max(level, 1e-4), 1.6 * shot.white / max(float(np.percentile(on, 90)), 1e-3)
    )
    return photo * max(gain, 0.25 * _decode(shot.white) / max(level, 1e-4) if level > 0.2 else 0)


def develop(photo: Floats, ground: Floats, alpha: Floats, shot: Shot, seed: int) -> NDArray[np.uint8]:
    """Linear (H, W, 3) photo to sRGB uint8: exposure, cast, fall-off, blur, noise, tone, sharpening."""
    rng = np.random.Generator(np.random.PCG64([seed, 5]))
    h, w, _ = photo.shape
    x = exposed(photo.astype(np.float32), ground, alpha, shot) * np.asarray(shot.cast, np.float32)
    yy, xx = np.mgrid[-1 : 1 : h * 1j, -1 : 1 : w * 1j].astype(np.float32)
    shade = (1 - shot.falloff * (xx**2 + yy**2) / 2) * np.exp(shot.tilt[0] * xx + shot.tilt[1] * yy)
    x = x * shade[..., None]
    if shot.blur_px > 0:
        x = _soften(x, shot.blur_px)
    coarse = rng.normal(0, 1, ((h + 1) // 2, (w + 1) // 2, 3)).repeat(2, 0).repeat(2, 1)[:h, :w]
    grain = 0.75 * rng.normal(0, 1, (h, w, 3)) + 0.5 * coarse  # demosaicing spreads noise over neighbours
    x = x + grain * shot.noise * np.sqrt(np.maximum(x, 0) + 0.004)
    over = np.maximum(x - 0.80, 0)  # a camera's shoulder: highlights roll off instead of breaking
    x = np.where(
        x > 0.80,
        0.80 + 0.20 * (1 - np.exp(-over / 0.20 * 0.85)) / (1 - np.exp(-0.85 * 1.6)),
        np.maximum(x, 0),
    )
    v = _encode(np.clip(x, 0, 1))
    v = v + shot.contrast * (v - 0.5) * 4 * v * (1 - v)
    if shot.sharpen > 0:
        v = v + shot.sharpen * (v - _soften(v, 1.0))
    return np.clip(v * 255 + rng.uniform(0, 1, v.shape), 0, 255).astype(np.uint8)
