"""`vitrine plan`: which rule applies to a file or folder, and why."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import Annotated

import typer

from daemon.cli.options import STUDIO, AsJson, Studio
from daemon.durable import digest_of
from daemon.settings import load_settings
from pipeline.errors import BadInput, VitrineError
from rules.facts import Facts
from rules.flatter import choose
from rules.plan import Plan
from rules.route import route
from rules.sidecar import sidecar_name

Asked = Annotated[Path, typer.Argument(help="A photo or folder in the inbox; it need not exist yet.")]


def command(path: Asked, studio: Studio = STUDIO, as_json: AsJson = False) -> None:  # noqa: FBT002
    """Say which rule applies to PATH, and why. A photo that is there is cut out, if its colours have a say."""
    settings = load_settings(studio)
    inside = below_inbox(path, studio / "inbox")
    folder, name = split(inside, is_folder=path.is_dir() or (studio / "inbox" / inside).is_dir())
    photo = studio / "inbox" / folder / name
    sidecar = photo.with_name(sidecar_name(name))
    text = sidecar.read_text("utf-8") if sidecar.is_file() else None
    digest = digest_of(photo) if photo.is_file() else ""
    plan = route(Facts(folder=folder, name=name, digest=digest), settings.rules, text)
    if digest and any(recipe.pool for recipe in plan.recipes):
        plan = by_piece(plan, photo, settings.max_pixels)
    typer.echo(plan.model_dump_json(indent=2) if as_json else "\n".join(told(plan, folder, name)))


def by_piece(plan: Plan, photo: Path, max_pixels: int) -> Plan:
    """The plan with the sets that the piece in the photo decides for. One that cannot be read or cut out decides nothing."""
    from pipeline.photo.decode import decode  # noqa: PLC0415 - brings the imaging libraries
    from pipeline.render import cut  # noqa: PLC0415
    from pipeline.tones import tones_of  # noqa: PLC0415

    try:
        tones = tones_of(cut(decode(photo, max_pixels=max_pixels), plan.recipes[0]))
    except VitrineError as error:
        return plan.model_copy(update={"reasons": (*plan.reasons, f"The piece cannot be seen: {error}")})
    for variant, recipe in enumerate(plan.recipes):
        if recipe.pool:
            plan = plan.settled(variant, *choose(recipe, tones))
    return plan


def below_inbox(path: Path, inbox: Path) -> PurePath:
    """PATH as seen from the inbox. A relative path is one below the inbox unless it leads into the inbox as it stands."""
    inside = path.absolute()
    if inside.is_relative_to(inbox.absolute()):
        return inside.relative_to(inbox.absolute())
    if path.is_absolute():
        raise BadInput(f"{path} is not in the inbox {inbox}", "Name a file or folder below the inbox.")
    return PurePath(path)


def split(inside: PurePath, *, is_folder: bool) -> tuple[str, str]:
    """Folder and file name; a path whose last part has no suffix is taken for a folder."""
    if is_folder or not inside.suffix:
        return inside.as_posix() if inside.parts else "", "photo.jpg"
    return inside.parent.as_posix() if inside.parent.parts else "", inside.name


def told(plan: Plan, folder: str, name: str) -> list[str]:
    """The plan in lines for a person."""
    first = plan.recipes[0]
    lines = [f"{folder or 'inbox'}/{name}"]
    lines += [f"  {reason}" for reason in plan.reasons]
    if first.view != "auto":
        lines.append(
            f"  The piece is shown {'standing on' if first.pose == 'upright' else 'lying on'} the surface."
        )
    lines += [f"  Note: {finding.text}" for finding in plan.findings]
    return lines
