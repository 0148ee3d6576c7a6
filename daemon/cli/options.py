"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Studio = Annotated[
    Path,
    typer.Option(
        "--studio", "-s", envvar="VITRINE_STUDIO", help="The studio folder (with inbox/ and vitrine.toml)."
    ),
]
STUDIO = Path("studio")
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for other programs.")]
