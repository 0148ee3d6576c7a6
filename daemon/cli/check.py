"""`vitrine check`: is this installation and this studio in order? Owns the list of checks; mends nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import packages_distributions
from pathlib import Path

import typer

from daemon.cli.options import STUDIO, Studio
from daemon.instagram.captions import voice_for
from daemon.instagram.model_folder import check_model
from daemon.settings import SETTINGS_NAME, load_settings
from daemon.studio import Studio as Folders
from pipeline.errors import Misconfigured, VitrineError
from presets.library import library
from presets.library import recipe as preset_recipe
from rules.ruleset import Choices

ADVICE = "Another program brings a package of the same name. Install Vitrine into a venv of its own."
PACKAGES = ("daemon", "rules", "presets", "pipeline", "weights")


def command(studio: Studio = STUDIO) -> None:
    """Check settings, rules, presets and the installation."""
    wrong: list[VitrineError] = []
    checks: tuple[tuple[str, Callable[[], str]], ...] = (
        ("installation", installation),
        ("presets", presets),
        ("settings", lambda: settings(studio)),
        ("raytracing", lambda: raytracing(studio)),
        ("diffusion", lambda: diffusion(studio)),
    )
    for name, check in checks:
        try:
            typer.echo(f"{name}: {check()}")
        except VitrineError as error:
            typer.echo(f"{name}: NOT in order")
            wrong.append(error)
    if wrong:
        text = "\n".join(str(error) for error in wrong)
        raise Misconfigured(text, "\n".join(error.advice for error in wrong if error.advice))


def installation() -> str:
    """Every package must be ours: another program's `daemon` (python-daemon) would silently take its place.

    Raises Misconfigured that names the stranger.
    """
    home = Path(__file__).resolve().parents[2]
    owners = packages_distributions()
    for name in PACKAGES:
        strangers = sorted(set(owners.get(name, [])) - {"vitrine"})
        if strangers:
            raise Misconfigured(f'the package "{name}" also comes with {", ".join(strangers)}', ADVICE)
        file = import_module(name).__file__
        found = Path(file).resolve().parent if file else None
        if found != home / name:
            raise Misconfigured(
                f'the package "{name}" is loaded from {found}, not from {home / name}', ADVICE
            )
    return f"all packages are loaded from {home}"


def presets() -> str:
    """Every template must make a recipe. Raises Misconfigured."""
    known = library()
    for name in known.templates:
        preset_recipe(name)
    return f"{len(known.templates)} templates, {len(known.rigs)} lights, {len(known.looks)} looks"


def _program(studio: Path, path: Path, name: str) -> None:
    """The alert command must be there. A path is one below the studio, as when it is run."""
    if shutil.which(studio / name if "/" in name else name) is None:
        advice = "Write the program's whole path, or put it into the studio folder, and make it executable."
        raise Misconfigured(f"{path}, alerts.command: there is no program {name}", advice)


def settings(studio: Path) -> str:
    """The studio's settings and rules must be right; logo, alert command and captions must be there. Raises Misconfigured."""
    path = studio / SETTINGS_NAME
    found = load_settings(studio)
    logo = found.watermark.logo
    if logo and not (studio / logo).is_file():
        raise Misconfigured(
            f"{path}, watermark.logo: there is no file {studio / logo}", "Put the logo there."
        )
    if command := found.alerts.command:
        _program(studio, path, command[0])
    for language in found.instagram.languages:
        voice_for(language, Folders(studio).voice)
    if model := found.instagram.caption_model:
        check_model(studio / model)
    if not path.exists():
        return f"{path} does not exist, so the defaults are used"
    return f"{path} is in order, {len(found.rule)} rules, {len(library().own)} templates of the studio's own"


def raytracing(studio: Path) -> str:
    """Blender must be there if the settings name it or ask for it; without, it is only said. Raises Misconfigured."""
    from presets.bake.tracer import beside_the_program, has_blender  # noqa: PLC0415 - brings the imaging libraries

    try:
        found = load_settings(studio)
    except Misconfigured:  # told already
        return "not looked at, because of the settings"
    named = found.raytracing.blender
    python = Path(named).expanduser() if named else beside_the_program()
    if has_blender(python):
        return f"Blender is there ({python})"
    text = f"there is no Blender in {python}, so pictures are made the ordinary way where path-traced ones are asked for"
    asked = any(one.renderer == "blender" for one in (found.defaults, *found.rule))
    if named or asked:
        raise Misconfigured(f"{studio / SETTINGS_NAME}, raytracing: {text}", "`make blender` installs it.")
    return f"{text}; `make blender` installs it"


def diffusion(studio: Path) -> str:
    """What paints backgrounds must be there if the settings or templates ask for it; without, it is only said. Raises Misconfigured."""
    from pipeline.diffusion.load import require_libraries  # noqa: PLC0415 - brings the imaging libraries
    from pipeline.diffusion.shelf import Shelf  # noqa: PLC0415

    try:
        found = load_settings(studio)
    except Misconfigured:  # told already
        return "not looked at, because of the settings"
    voices: tuple[Choices, ...] = (found.defaults, *found.rule)
    backdrops = [*(one.backdrop for one in voices), *(one.backdrop for one in library().templates.values())]
    shelf = Shelf(Folders(studio).weights(found.diffusion.weights))
    try:
        require_libraries()
        models = [
            shelf.model(name)
            for name in dict.fromkeys(
                filter(None, (found.diffusion.model, *(one.diffusion_model for one in voices)))
            )
        ]
        models = models or [shelf.model()]
        if found.diffusion.control != "auto":
            shelf.control(found.diffusion.control, models[0])
    except Misconfigured as error:
        if "diffusion" in backdrops or found.diffusion.model:
            raise Misconfigured(f"{studio / SETTINGS_NAME}, diffusion: {error}", error.advice) from error
        return f"no backgrounds can be painted ({error}), so the ordinary ones are taken where painted ones are asked for"
    return f"backgrounds are painted by {', '.join(model.name for model in models)}"
