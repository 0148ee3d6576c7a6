"""A surface's colours as plain words, for a painter that is told in words. Owns the words; refuses the rest of the sentence."""

from __future__ import annotations

from typing import Final

from pipeline.recipe import Surface

# CSS-like anchors that a stylist would say; sRGB.
_NAMED: Final = {
    "black": "#0b0b0c", "charcoal": "#2e2f33", "grey": "#808080", "silver grey": "#bfc2c6", "white": "#f6f5f2",
    "ivory": "#f1e9d6", "beige": "#d9c7a7", "sand": "#c8ab7c", "taupe": "#8b7a6b", "brown": "#5a3b25", "chocolate": "#2c1a12",
    "terracotta": "#b4593a", "rust": "#8c3a1d", "orange": "#e07a24", "amber": "#d59a2b", "gold": "#c9974a", "yellow": "#ecd44b",
    "olive": "#6b6a2e", "sage green": "#a3b096", "green": "#3c8a4e", "emerald green": "#0f5b40", "dark green": "#0f2a21",
    "teal": "#14676b", "turquoise": "#4dbfbf", "sky blue": "#9cc7ea", "blue": "#2f62c2", "royal blue": "#1f3490",
    "midnight navy": "#0d1736", "lavender": "#b9a7d9", "purple": "#5a2f8a", "aubergine": "#2a1030", "magenta": "#b02a7e",
    "pink": "#eaa6b8", "blush": "#ecd2cb", "dusty rose": "#b57c7f", "red": "#b81d24", "burgundy": "#4f0f1f",
}  # fmt: skip


def colour_words(surface: Surface) -> tuple[str, ...]:
    """The main colour and the second one; one word where they are alike."""
    return tuple(dict.fromkeys(nearest(code) for code in (surface.base, surface.accent)))


def nearest(code: str) -> str:
    """The word for an sRGB hex colour: nearest by weighted distance in sRGB (Riemersma's "redmean")."""
    return min(_NAMED, key=lambda name: _distance(code, _NAMED[name]))


def _distance(one: str, other: str) -> float:
    (r, g, b), (s, h, c) = (tuple(int(code[k : k + 2], 16) for k in (1, 3, 5)) for code in (one, other))
    red = (r + s) / 2
    return (2 + red / 256) * (r - s) ** 2 + 4 * (g - h) ** 2 + (2 + (255 - red) / 256) * (b - c) ** 2
