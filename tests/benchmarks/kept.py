"""What tells whether a kept figure still holds: the recipe and the code that makes pixels. Owns that mark."""

from __future__ import annotations

import ast
import hashlib
from functools import cache
from pathlib import Path

import pipeline
from pipeline.recipe import Recipe


@cache
def code() -> str:
    """SHA-256 over the pipeline's sources without comments and layout, shortened."""
    home = Path(pipeline.__file__ or "").parent
    whole = hashlib.sha256()
    for path in sorted(home.rglob("*.py")):
        whole.update(ast.unparse(ast.parse(path.read_bytes())).encode())
    return whole.hexdigest()[:12]


def mark(recipe: Recipe) -> str:
    """Of a picture made by the recipe and today's code."""
    return f"{recipe.digest}-{code()}"
