"""What every segmenter must do. Owns the Protocol; the engines live beside it, one module each."""

from __future__ import annotations

from typing import Protocol

from pipeline.values import F32, U8


class Segmenter(Protocol):
    """Finds the piece in a picture. Called twice: on the whole photo, then on the crop around the piece."""

    @property
    def name(self) -> str:
        """As recipes call it."""
        ...

    @property
    def soft(self) -> bool:
        """Whether the answer is a matte that is right to a pixel or two, or only tells which region is the piece."""
        ...

    @property
    def overview_px(self) -> int:
        """Long side of the whole photo as it wants to see it, to find the piece."""
        ...

    def segment(self, srgb: U8) -> F32:
        """Return the (h, w) probability 0..1 that a pixel is the piece; `srgb` is (h, w, 3), sRGB-encoded.

        Holes are 0, a cast shadow is 0, thin chains are kept. An empty paper gives all 0, never a stretched noise map.
        """
        ...
