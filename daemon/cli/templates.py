"""`vitrine templates`: the list of templates, as text or JSON, or pictures of them, on samples or on a photo of one's own."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Annotated, Any

import typer

from daemon.cli.options import STUDIO, AsJson, Studio
from daemon.settings import own_templates
from pipeline.errors import BadInput, Misconfigured
from presets.library import adopting, library
from presets.selection import Filters, select, words_of
from rules.vocabulary import TYPE_WORDS

Sheet = Annotated[
    Path | None, typer.Option("--sheet", help="Render the templates and save a sheet (JPEG or PNG).")
]
Photo = Annotated[
    Path | None,
    typer.Option("--try", help="The same with this photo; saved as templates.jpg without --sheet."),
]
Style = Annotated[list[str], typer.Option("--style", help="A surface, such as velvet.")]
Palette = Annotated[list[str], typer.Option("--palette", help="A palette, such as navy.")]
Rig = Annotated[list[str], typer.Option("--rig", "--lighting", help="A light, such as moody.")]
LookName = Annotated[list[str], typer.Option("--look", help="A look, such as warm-gold.")]
Tag = Annotated[list[str], typer.Option("--tag", help="A mood or occasion, such as bridal or window.")]
Kind = Annotated[list[str], typer.Option("--type", help="Suits rings, earrings, ...")]
Metal = Annotated[list[str], typer.Option("--metal", help="Flatters yellow-gold, white-metal, pearl, ...")]
Season = Annotated[list[str], typer.Option("--season", help="spring, summer, autumn or winter.")]
View = Annotated[list[str], typer.Option("--view", help="table (across a table) or flat (from above).")]
Own = Annotated[bool, typer.Option("--own", help="Only the studio's own.")]


def command(  # noqa: PLR0917 - typer reads the options off the signature
    style: Style = [],  # noqa: B006 - typer's way of an option that may be repeated
    palette: Palette = [],  # noqa: B006
    rig: Rig = [],  # noqa: B006
    look: LookName = [],  # noqa: B006
    tag: Tag = [],  # noqa: B006
    kind: Kind = [],  # noqa: B006
    metal: Metal = [],  # noqa: B006
    season: Season = [],  # noqa: B006
    view: View = [],  # noqa: B006
    own: Own = False,  # noqa: FBT002
    as_json: AsJson = False,  # noqa: FBT002
    sheet: Sheet = None,
    photo: Photo = None,
    studio: Studio = STUDIO,
) -> None:
    """List the templates, or render a sheet of them. A filter that is repeated wants any of its words."""
    asked = {
        "style": style, "palette": palette, "rig": rig, "look": look, "tag": tag, "metal": metal, "season": season,
        "view": view, "type": [_singular(one) for one in kind], "own": own,
    }  # fmt: skip
    with adopting(own_templates(studio)):
        names = selected(Filters.model_validate(asked))
    if not names and not as_json:
        raise BadInput("No template meets all of that.", "Leave one of the filters out.")
    if sheet is not None or photo is not None:
        from daemon.cli.template_sheet import save_sheet  # noqa: PLC0415 - brings the imaging libraries

        target = sheet or Path("templates.jpg")
        said = [TYPE_WORDS[one] for one in kind if one in TYPE_WORDS]
        save_sheet(target, names, photo, said[0] if len(said) == 1 else "auto")
        typer.echo(f"{target}: {len(names)} templates")
    elif as_json:
        typer.echo(json.dumps(listed(names), indent=2))
    else:
        _told(names)


def selected(filters: Filters) -> list[str]:
    """Names of the templates that meet the filters. Raises a usage error for a word that no template knows."""
    try:
        return select(filters)
    except Misconfigured as error:
        raise typer.BadParameter(str(error)) from None


def _singular(word: str) -> str:
    """The type as the templates call it: `ring` for `rings`."""
    return TYPE_WORDS.get(word.casefold(), word)


def _told(names: list[str]) -> None:
    width = max(map(len, names))
    known = library()
    for material, group in itertools.groupby(names, key=lambda name: known.templates[name].surface):
        typer.echo(material)
        for name in group:
            mine = "  (yours)" if name in known.own else ""
            typer.echo(f"  {name:<{width}}  {known.templates[name].title}{mine}")
    typer.echo(f"lights: {', '.join(known.rigs)}")
    typer.echo(f"looks: {', '.join(known.looks)}")
    typer.echo(f"occasions: {', '.join(known.occasions)}")
    for field in ("tag", "metal"):
        typer.echo(f"{field}s: {', '.join(words_of()[field])}")


def listed(names: list[str]) -> list[dict[str, Any]]:
    """Templates as plain data. default_for: types; own: whether it is the studio's."""
    known = library()
    default_for: dict[str, list[str]] = {}
    for kind, name in known.defaults.items():
        default_for.setdefault(name, []).append(kind)
    return [
        {
            "name": name,
            **known.templates[name].model_dump(mode="json"),
            "own": name in known.own,
            "default_for": default_for.get(name, []),
        }
        for name in names
    ]
