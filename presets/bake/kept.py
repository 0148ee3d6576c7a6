"""Draped cloth, kept on the disk for the next picture. Owns the files; refuses shapes.

A file is named by all that decides the heights: bed, cloth, seed, and the code that drapes. A file that is missing or damaged,
or a disk that takes none, costs only the time to drape anew.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

import numpy as np

from presets.bake import drape
from presets.bake.drape import F32, Bed, Cloth


def folder() -> Path:
    """The service's cache (systemd's `CacheDirectory`), else the user's."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("CACHE_DIRECTORY") or Path(home) / "vitrine") / "drapes"


def draped(bed: Bed, cloth: Cloth, seed: int) -> F32:
    """Heights of the cloth, see `drape.drape`; from the disk, if it was draped before."""
    path = folder() / f"{_digest(bed, cloth, seed)}.npy"
    try:
        heights = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        pass
    else:
        if heights.shape == bed.grid()[0].shape and heights.dtype == np.float32:
            return np.asarray(heights, np.float32)
    heights = drape.drape(bed, cloth, seed)
    _keep(path, heights)
    return heights


def _digest(bed: Bed, cloth: Cloth, seed: int) -> str:
    code = Path(drape.__file__).read_bytes()
    return hashlib.sha256(code + repr((bed, cloth, seed)).encode()).hexdigest()[:32]


def _keep(path: Path, heights: F32) -> None:
    """Whole or not at all: other processes may read it meanwhile."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as part:
            try:
                np.save(part, heights)
                part.close()
                Path(part.name).replace(path)
            except OSError:
                Path(part.name).unlink(missing_ok=True)
    except OSError:
        return
