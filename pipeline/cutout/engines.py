"""The door to all segmenters by name. Owns the names and the cache; each engine lives in its own module."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from pipeline.cutout.classical import ClassicalSegmenter
from pipeline.cutout.network import NetworkSegmenter
from pipeline.cutout.segmenter import Segmenter
from pipeline.errors import Misconfigured
from pipeline.recipe import Recipe

NETWORKS_VARIABLE = "VITRINE_NETWORKS"
NETWORKS_FOLDER = "/var/lib/vitrine/networks"


def networks_folder() -> Path:
    """Where segmentation networks lie: $VITRINE_NETWORKS or the system's folder."""
    return Path(os.environ.get(NETWORKS_VARIABLE, NETWORKS_FOLDER))


def segmenter_for(recipe: Recipe) -> Segmenter:
    """The segmenter a recipe asks for: `network` (Vitrine's own), `classical` or `rembg:<network>`.

    Raises `Misconfigured` for any other name.
    """
    return _segmenter(recipe.segmenter, networks_folder())


@lru_cache(maxsize=2)
def _segmenter(name: str, folder: Path) -> Segmenter:
    if name == "network":
        return NetworkSegmenter()
    if name == "classical":
        return ClassicalSegmenter()
    engine, _, network = name.partition(":")
    if engine == "rembg" and network:
        from pipeline.cutout.rembg_sessions import RembgSegmenter  # noqa: PLC0415 - heavy, optional

        return RembgSegmenter(network, folder)
    raise Misconfigured(
        f"there is no segmenter '{name}'",
        "use 'network', 'classical' or 'rembg:<network>', for example rembg:u2net",
    )
