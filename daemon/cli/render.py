"""`vitrine render`: pictures right now, without a studio folder and without the daemon."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import Annotated, get_args

import typer
from pydantic import ValidationError

from daemon import durable
from daemon.cli.options import STUDIO, AsJson, Studio
from daemon.cli.photos import Photos, Result, Shelf, each
from daemon.darkroom import library_of, tracer_of, upscalers_of
from daemon.deliver import as_json as canonical
from daemon.settings import Settings, load_settings, own_templates
from daemon.studio import Studio as Folders
from pipeline.backdrop.diffused import Backgrounds, no_backgrounds
from pipeline.errors import Misconfigured
from pipeline.finish.encode import encode_jpeg, encode_png, encode_rgba_png
from pipeline.format import FORMAT_NAMES, FORMATS, FormatName
from pipeline.layers import layers
from pipeline.light.traced import Tracer, no_tracer
from pipeline.photo.decode import decode
from pipeline.recipe import JewelryType, Recipe
from pipeline.render import render
from pipeline.rig import Aim
from pipeline.upscale.upscaler import Upscalers, no_upscalers
from pipeline.values import Photo, Render
from presets.library import adopting, library, recipe
from presets.painting import Commission, Said
from presets.spelling import closest, unknown
from presets.styles import Style, find_style, style_words
from rules.flatter import choose
from rules.pool import offer
from rules.vocabulary import TYPE_WORDS
from rules.wording import type_in_name

OUT = Path("renders")
SMALLEST_PX, LARGEST_PX = 256, 4096

Template = Annotated[
    str,
    typer.Option("--template", "-t", help="A template, or a style such as velvet, marble-black or diwali."),
]
Light = Annotated[str, typer.Option("--lighting", "-l", help="A light, for example moody or palm.")]
LookName = Annotated[str, typer.Option("--look", help="A look, for example warm-gold.")]
Key = Annotated[
    list[str],
    typer.Option(
        "--light",
        help="Change the key light: azimuth_deg=40, elevation_deg, size_deg, intensity_ev, spread, gobo=none|window|palm. Repeatable.",
    ),
]
Kind = Annotated[
    str, typer.Option("--type", help="ring, earrings, necklace, ...; auto: from the name or the photo.")
]
Out = Annotated[Path, typer.Option("--out", "-o", help="Folder for the pictures.")]
Seed = Annotated[
    int, typer.Option("--seed", min=0, max=2**31 - 1, help="Another number: other folds and veins.")
]
Size = Annotated[
    str, typer.Option("--size", help="In pixels: 1080, or 1080x1350; the format's own if not given.")
]
Shape = Annotated[str, typer.Option("--format", "-f", help=f"{', '.join(FORMAT_NAMES)}.")]
Parts = Annotated[
    bool, typer.Option("--layers", help="Also write the piece, the set and its shadow as PNG files.")
]
Draft = Annotated[bool, typer.Option("--draft", help="Quicker and rougher.")]
Raytraced = Annotated[
    bool, typer.Option("--raytraced", help="Path-traced by Blender: minutes for each picture.")
]
Diffusion = Annotated[
    bool,
    typer.Option(
        "--diffusion", help="The background painted by a diffusion model of the studio's weights folder."
    ),
]
Prompt = Annotated[str, typer.Option("--prompt", help="What to paint, in words, in place of the template's.")]

Enlarge = Annotated[
    str,
    typer.Option(
        "--enlarge", help="Network that enlarges the piece of a small photo: a file in weights/upscale."
    ),
]


def command(  # noqa: PLR0917 - typer reads the options off the signature
    files: Photos,
    template: Template = "",
    lighting: Light = "",
    look: LookName = "",
    light: Key = [],  # noqa: B006 - typer copies it
    kind: Kind = "auto",
    out: Out = OUT,
    seed: Seed = 0,
    shape: Shape = "square",
    size: Size = "",
    parts: Parts = False,  # noqa: FBT002
    draft: Draft = False,  # noqa: FBT002
    raytraced: Raytraced = False,  # noqa: FBT002
    enlarge: Enlarge = "",
    diffusion: Diffusion = False,  # noqa: FBT002
    prompt: Prompt = "",
    as_json: AsJson = False,  # noqa: FBT002
    studio: Studio = STUDIO,
) -> None:
    """Render photos right now, without a studio folder."""
    asked = asked_type(kind)
    wanted = asked_format(shape)
    aim = parsed_light(light)
    size_px = parsed_size(size) if size else FORMATS[wanted].size_px
    with adopting(own_templates(studio)):
        wish = wished(template, lighting, look)
    shelf = Shelf(out, files)
    tracer = tracer_of(Settings(worker_threads=len(os.sched_getaffinity(0))))
    said = load_settings(studio)
    home = Folders(studio.absolute())
    backgrounds, upscalers = library_of(said, home), upscalers_of(said, home)
    commission = Commission(
        brush=said.rules.diffusion, said=Said(prompt=prompt or None), upscaling=said.rules.upscaling
    )

    def recipe_for(photo: Path) -> Recipe:
        found = (type_in_name(photo.name) or asked) if asked == "auto" else asked
        one = offer(wish, found, f"{durable.digest_of(photo)}|{seed}")
        return recipe(
            one.choice.template,
            found,
            lighting=one.choice.lighting,
            look=one.choice.look,
            format=wanted,
            size_px=size_px,
            seed=seed,
            draft=draft,
            pool=one.pool,
            renderer="blender" if raytraced else "fast",
            light=aim,
            enlarge=said.upscaling.named(enlarge),
            backdrop="diffusion" if diffusion or prompt else None,
            commission=commission,
        )

    def work(file: Path) -> Result:
        started = time.monotonic()
        photo, wanted = decode(file), recipe_for(file)
        picture = render(photo, wanted, choose, tracer=tracer, backgrounds=backgrounds, upscalers=upscalers)
        wanted = picture.recipe or wanted
        stem = shelf.stem(file)
        made = [shelf.put(f"{stem}.jpg", encode_jpeg(picture.srgb))]
        made.append(shelf.put(f"{stem}.json", canonical(told(picture, wanted, file))))
        if parts:
            apart = as_png(photo, wanted, tracer, backgrounds, upscalers)
            made += [shelf.put(f"{stem}-{name}.png", data) for name, data in apart.items()]
        reason = " ".join(note.text for note in picture.verdict.reasons)
        seconds = round(time.monotonic() - started, 3)
        return Result(str(file), picture.verdict.outcome, reason, outputs=tuple(made), seconds=seconds)

    each(files, work, as_json=as_json)


def parsed_light(pairs: list[str]) -> Aim:
    """Changes to the key light from "azimuth_deg=40" and the like. Raises a usage error."""
    try:
        return Aim.model_validate(dict(pair.split("=", 1) for pair in pairs))
    except ValueError as error:
        first = (
            error.errors()[0]
            if isinstance(error, ValidationError)
            else {"loc": pairs, "msg": "write name=value"}
        )
        where = ", ".join(map(str, first["loc"]))
        raise typer.BadParameter(
            f"{where}: {first['msg']} (accepted: {', '.join(Aim.model_fields)})", param_hint="--light"
        ) from None


def asked_type(word: str) -> JewelryType:
    """The kind of jewelry that `word` names, singular or plural. Raises a usage error."""
    found = TYPE_WORDS.get(word.casefold())
    if found is None:
        raise typer.BadParameter(unknown("type", word, get_args(JewelryType)), param_hint="--type")
    return found


def asked_format(word: str) -> FormatName:
    """The format that `word` names. Raises a usage error."""
    found = next((name for name in FORMAT_NAMES if name == word.strip().casefold()), None)
    if found is None:
        raise typer.BadParameter(unknown("format", word, FORMAT_NAMES), param_hint="--format")
    return found


def parsed_size(text: str) -> tuple[int, int]:
    """Width and height from "1080" or "1080x1350". Raises a usage error."""
    match = re.fullmatch(r"(\d{1,5})(?:[x×](\d{1,5}))?", text.strip().casefold())  # noqa: RUF001
    sides = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not all(SMALLEST_PX <= side <= LARGEST_PX for side in sides):
        raise typer.BadParameter(
            f'"{text}" (accepted: 1080 or 1080x1350, each side {SMALLEST_PX} to {LARGEST_PX})',
            param_hint="--size",
        )
    return sides


def wished(word: str, lighting: str, look: str) -> Style:
    """The style that the options ask for. Raises Misconfigured for a name that does not exist."""
    style = find_style(word.casefold()) if word else Style()
    if style is None:
        near = closest(word, style_words())
        hint = f'; did you mean "{near}"?' if near else "."
        raise Misconfigured(
            f'there is no template or style "{word}"{hint}', "`vitrine templates` lists what there is."
        )
    for what, name, known in (("lighting", lighting, library().rigs), ("look", look, library().looks)):
        if name and name not in known:
            raise Misconfigured(unknown(what, name, known), "`vitrine templates` lists what there is.")
    return style.joined(Style(lighting=lighting or None, look=look or None))


def told(picture: Render, recipe: Recipe, file: Path) -> dict[str, object]:
    """The verdict as it is written beside the picture."""
    return {
        "outcome": picture.verdict.outcome,
        "reasons": [{"code": note.code, "text": note.text} for note in picture.verdict.reasons],
        "figures": dict(picture.verdict.figures),
        "notes": [{"code": note.code, "text": note.text} for note in picture.notes],
        "seconds": dict(picture.seconds),
        "name": file.name,
        "template": recipe.template,
        "recipe": recipe.digest,
        "why": picture.why,
    }


def as_png(
    photo: Photo,
    recipe: Recipe,
    tracer: Tracer = no_tracer,
    backgrounds: Backgrounds = no_backgrounds,
    upscalers: Upscalers = no_upscalers,
) -> dict[str, bytes]:
    """The parts of the picture as PNG files, by name."""
    parts = layers(photo, recipe, tracer, backgrounds=backgrounds, upscalers=upscalers)
    return {
        "piece": encode_rgba_png(parts.piece, parts.alpha),
        "ground": encode_png(parts.ground),
        "set": encode_png(parts.bare),
    }
