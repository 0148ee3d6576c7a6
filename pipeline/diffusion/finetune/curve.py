"""The losses of a run as a picture. Owns the drawing; Pillow is enough for it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from pipeline.values import U8

SIZE = (960, 540)
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 20, 40, 50
_INK, _PALE, _LEARNED, _HELD = "#202020", "#d8d8d8", "#2f62c2", "#c2462f"
_SMOOTH = 40  # parts of the run over each of which the line is a mean


def curve(losses: Sequence[float], held: Sequence[tuple[int, float]], steps: int) -> U8:
    """(h, w, 3): the loss of each step as dots and its mean as a line, the loss on what is kept apart as rings.

    losses: by step, from the first; held: steps done and loss; steps: of the whole run.
    """
    image = Image.new("RGB", SIZE, "white")
    draw = ImageDraw.Draw(image)
    shown = [(step, loss) for step, loss in held if math.isfinite(loss)]
    known = [*losses, *(loss for _, loss in shown)]
    top = float(np.percentile(known, 99)) * 1.15 if known else 1.0

    def place(step: float, loss: float) -> tuple[float, float]:
        x = _LEFT + (SIZE[0] - _LEFT - _RIGHT) * step / max(steps, 1)
        return x, max(SIZE[1] - _BOTTOM - (SIZE[1] - _TOP - _BOTTOM) * loss / max(top, 1e-9), _TOP)

    for part in range(5):
        level = top * part / 4
        y = place(0, level)[1]
        draw.line([(_LEFT, y), (SIZE[0] - _RIGHT, y)], fill=_PALE)
        draw.text((8, y - 6), f"{level:.3g}", fill=_INK)
        x = place(steps * part / 4, 0)[0]
        draw.text((x - 12, SIZE[1] - _BOTTOM + 12), str(round(steps * part / 4)), fill=_INK)
    for step, loss in enumerate(losses, 1):
        x, y = place(step, loss)
        draw.rectangle([x, y, x + 1, y + 1], fill="#9db5e2")
    _line(draw, [place(step, loss) for step, loss in smoothed(losses)])
    for step, loss in shown:
        x, y = place(step, loss)
        draw.ellipse([x - 4, y - 4, x + 4, y + 4], outline=_HELD, width=2)
    draw.text((_LEFT, 12), "loss by step", fill=_LEARNED)
    draw.text((_LEFT + 120, 12), "on pictures kept apart: where it rises for good, stop earlier", fill=_HELD)
    return np.asarray(image)


def smoothed(losses: Sequence[float]) -> list[tuple[float, float]]:
    """Means over about 40 parts of the run: (step, loss)."""
    width = max(1, len(losses) // _SMOOTH)
    parts = [losses[start : start + width] for start in range(0, len(losses) - width + 1, width)]
    return [(width * (at + 0.5), float(np.mean(part))) for at, part in enumerate(parts)]


def _line(draw: ImageDraw.ImageDraw, points: list[tuple[float, float]]) -> None:
    if len(points) > 1:
        draw.line(points, fill=_LEARNED, width=3)
