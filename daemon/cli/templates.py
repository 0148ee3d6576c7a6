"""`vitrine templates`: the list of templates, as text or JSON, or a picture of them all."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Annotated, Any

import typer

from daemon.cli.options import AsJson
from presets.library import library

Sheet = Annotated[
    Path | None, typer.Option("--sheet", help="Render every template and save a sheet (JPEG or PNG).")
]


def command(as_json: AsJson = False, sheet: Sheet = None) -> None:  # noqa: FBT002
    """List the templates, or render a sheet of them all."""
    if sheet is not None:
        from daemon.cli.template_sheet import save_sheet  # noqa: PLC0415 - brings the imaging libraries

        save_sheet(sheet)
        return
    if as_json:
        typer.echo(json.dumps(listed(), indent=2))
        return
    width = max(map(len, library().templates))
    for material, group in itertools.groupby(listed(), key=lambda one: one["surface"]):
        typer.echo(material)
        for one in group:
            typer.echo(f"  {one['name']:<{width}}  {one['title']}")
    typer.echo(f"lights: {', '.join(library().rigs)}")
    typer.echo(f"looks: {', '.join(library().looks)}")
    typer.echo(f"occasions: {', '.join(library().occasions)}")


def listed() -> list[dict[str, Any]]:
    """Every template as plain data, in the order of the library."""
    known = library()
    default_for: dict[str, list[str]] = {}
    for kind, name in known.defaults.items():
        default_for.setdefault(name, []).append(kind)
    return [
        {"name": name, **template.model_dump(mode="json"), "default_for": default_for.get(name, [])}
        for name, template in known.templates.items()
    ]
