"""The Blender that tests use, where there is one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from presets.bake.tracer import beside_the_program, has_blender

BLENDER = Path(os.environ.get("VITRINE_RAYTRACING__BLENDER") or beside_the_program())
with_blender = pytest.mark.skipif(
    not has_blender(BLENDER), reason=f"there is no Blender in {BLENDER}; `make blender` installs it"
)
