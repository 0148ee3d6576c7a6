"""`vitrine plan`: which rule applies to a file or folder, and why."""

from __future__ import annotations

from pathlib import Path

import typer

from daemon.cli.options import STUDIO, AsJson, Studio
from daemon.settings import load_settings
from rules.facts import Facts
from rules.route import route


def command(path: Path, studio: Studio = STUDIO, as_json: AsJson = False) -> None:  # noqa: FBT002
    """Say which rule applies to PATH, and why."""
    plan = route(Facts(folder=str(path.parent), name=path.name), load_settings(studio).rules)
    typer.echo(plan.model_dump_json(indent=2) if as_json else "\n".join(plan.reasons))
