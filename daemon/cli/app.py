"""The `vitrine` program: finds the command, imports that one only, and turns outcomes into exit codes.

A command `name` is the function `command` in `daemon/cli/name.py`. Its module is imported only when it is called, so
that `vitrine --help` and a typing mistake answer at once.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Sequence
from enum import IntEnum

import typer

from pipeline.errors import Busy, Misconfigured, VitrineError

COMMANDS = {
    "run": "Watch a studio folder and render what is dropped into its inbox.",
    "render": "Render photos right now, without a studio folder.",
    "cutout": "Cut pieces out: transparent PNG at the photo's own size.",
    "plan": "Say which rule applies to a file or folder, and why.",
    "status": "Show what is waiting, running, done or in need of you.",
    "batch": "Show what waits for the night, or render it now.",
    "pause": "Render nothing for now, in all or in one folder.",
    "resume": "Go on after a pause.",
    "retry": "Give photos in review or rejected another try.",
    "queue": "Look at the Instagram posts that wait; edit and approve them.",
    "publish": "Send approved posts to Instagram when their time has come.",
    "backgrounds": "Show the painted backgrounds; pin, ban or paint some.",
    "weights": "Show, check and import diffusion models and what belongs to them.",
    "check": "Check settings, rules, presets and the installation.",
    "templates": "List the templates, or render a sheet of them all.",
    "train": "Teach a diffusion model the shop's own style.",
    "demo": "See the whole program at work on sample photos.",
}


class Exit(IntEnum):
    """Exit codes (sysexits.h where there is one)."""

    DONE = 0
    SOME_FAILED = 1
    USAGE = 2
    BUSY = 75
    CONFIGURATION = 78


def exit_code(error: VitrineError) -> Exit:
    """The code a failed command ends with."""
    if isinstance(error, Misconfigured):
        return Exit.CONFIGURATION
    return Exit.BUSY if isinstance(error, Busy) else Exit.SOME_FAILED


def _stub() -> None:
    """Stand in for a command that is listed and not called."""


def _implementation(name: str, wanted: str | None) -> Callable[..., None]:
    if name != wanted:
        return _stub
    command: Callable[..., None] = importlib.import_module(f"daemon.cli.{name}").command
    return command


def application(arguments: Sequence[str]) -> typer.Typer:
    """The typer application in which only the command that `arguments` name is loaded."""
    app = typer.Typer(
        name="vitrine",
        help="Drop a plain product photo into a folder; premium promotional pictures come out.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    wanted = next((word for word in arguments if not word.startswith("-")), None)
    app.callback()(_stub)
    for name, words in COMMANDS.items():
        if importlib.util.find_spec(f"daemon.cli.{name}") is not None:
            app.command(name, help=words)(_implementation(name, wanted))
    return app


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the program. Ends the process with one of `Exit`; errors go to stderr in words for the shop owner."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        application(words)(args=words, prog_name="vitrine")
    except VitrineError as error:
        print(error, file=sys.stderr)  # noqa: T201
        if error.advice:
            print(error.advice, file=sys.stderr)  # noqa: T201
        raise SystemExit(exit_code(error)) from None
