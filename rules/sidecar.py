"""`ring.toml` beside `ring.jpg`: what the owner says about one photo. Owns its model and its mistakes."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pipeline.errors import Misconfigured, Unfit
from pipeline.recipe import Pose
from presets.mistakes import read
from rules.ruleset import Choices, Outputs

Words = Annotated[str, Field(max_length=200)]


class BadSidecar(Unfit):
    """The sidecar cannot be understood: the photo waits in `review/` until it is mended."""


class Sidecar(Choices):
    """Everything a sidecar may say; what it leaves out is decided as for any other photo.

    metal ("18k white gold"), stones ("0.5 ct diamond", ...): facts, which a caption repeats word for word; nobody else may
    state any. link: of the product in the shop.
    """

    sku: Words = ""
    title: Words = ""
    price_line: Words = ""
    metal: Words = ""
    stones: Annotated[tuple[Words, ...], Field(max_length=8)] = ()
    link: Words = ""
    alt_text: Annotated[str, Field(max_length=1000)] = ""
    caption: Annotated[str, Field(max_length=2200)] = ""  # Instagram's limit
    pose: Pose = "auto"
    outputs: Outputs | None = None


def sidecar_name(photo: str) -> str:
    """The name of the sidecar that belongs to a photo: `ring.jpg` has `ring.toml`."""
    stem, dot, _ = photo.rpartition(".")
    return f"{stem if dot and stem else photo}.toml"


def read_sidecar(text: str, photo: str) -> Sidecar:
    """The sidecar of `photo`. Raises BadSidecar: every mistake with line, key and accepted values."""
    name = sidecar_name(photo)
    try:
        return read(Sidecar, text, name)
    except Misconfigured as error:
        advice = f"Mend {name} and put it and {photo} back into the inbox, or delete it."
        raise BadSidecar(str(error), advice) from None
