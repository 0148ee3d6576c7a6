"""The library of painted backgrounds: which one a picture gets, painting it first where it is not there. Only workers come here.

A template's set has as many backgrounds as the settings say. Each photo always gets the same of them; a banned one is never
used again, another takes its place; where some are pinned, only these are used. Refuses pixels: files and processes do those.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import hashlib
import io
import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from PIL import Image

from daemon import durable
from daemon.background_files import SHORT, BackgroundFiles, Entry
from daemon.digests import Digests
from pipeline.backdrop.backdrop import SceneView, paint
from pipeline.backdrop.diffused import Background, NotAgain, NotPainted, refuse_nothing
from pipeline.backdrop.plate_shape import plate_digest
from pipeline.backdrop.stage import Stage
from pipeline.diffusion.control import VERSION as CONTROL_VERSION
from pipeline.diffusion.control import control_picture, usual_stage
from pipeline.diffusion.files import Kind, Model
from pipeline.diffusion.order import GUIDANCE, STEPS, Held, Order, Sheet, size_for
from pipeline.diffusion.painter import Painter, plain
from pipeline.diffusion.shelf import Shelf
from pipeline.errors import Busy, Misconfigured
from pipeline.recipe import Painting
from pipeline.upscale.upscaler import Upscalers, in_eight_bits, no_upscalers
from pipeline.values import F32, U8, Note

NEXT_SEED = 100_003  # between two backgrounds of a set; far from the seeds of variants, which are neighbours
LOOK_AGAIN_S = 0.2
SETTLING = -1  # in a seed's place
PAUSE_S = 1800.0  # before a picture that came out empty, or took too long, is tried again
REMEMBERED = 8  # upscaled pictures
AT_ONCE = 8  # pictures in one order: what is interrupted has kept the others


@dataclass(slots=True)
class Library:
    """A `Backgrounds`. lock: file that one painting worker at a time holds, so that no picture is painted twice.

    upscalers: what enlarges paintings that are smaller than their frame, where the picture's recipe names one.
    """

    files: BackgroundFiles
    shelf: Shelf
    digests: Digests
    painter: Painter
    lock: Path
    upscalers: Upscalers = no_upscalers
    _in_vain: dict[tuple[str, int], tuple[float, str]] = field(default_factory=dict)
    _large: dict[tuple[str, str, tuple[int, int]], U8] = field(default_factory=dict)

    def __call__(self, stage: Stage, painting: Painting) -> Background:
        """The background of that stage, from the disk or painted now. Raises `NotPainted`."""
        order = self.order(stage, painting)
        if (found := self._there(order, stage, painting)) is not None:
            return found
        with self._alone():
            if (found := self._there(order, stage, painting)) is not None:
                return found
            seed = self._seeds(order, stage, painting)[painting.take % painting.backgrounds]
            with self._not_in_vain(order, seed):
                self._paint(order, stage, [seed])
        found = self._there(order, stage, painting)
        if found is None:
            raise NotPainted("the painted background was taken away at once")
        return found

    def fill(self, stage: Stage, painting: Painting) -> list[Entry]:
        """Paint all backgrounds of the set that are not there yet; these. Raises `NotPainted`."""
        order = self.order(stage, painting)
        with self._alone():
            whole = {one.seed for one in self.files.of(order.digest) if self.files.picture(one) is not None}
            seeds = [seed for seed in self._seeds(order, stage, painting) if seed not in whole]
            for start in range(0, len(seeds), AT_ONCE):
                self._paint(order, stage, seeds[start : start + AT_ONCE])
        return [one for one in self.files.of(order.digest) if one.seed in seeds]

    def order(self, stage: Stage, painting: Painting) -> Order:
        """All that decides the set's pictures. Raises `NotPainted` when something for it is missing or unfit."""
        try:
            model = self.shelf.model(painting.model)
            return Order(
                model=model.name,
                model_digest=self.digests.of(*dict.fromkeys((model.path, model.config))),
                prompt=painting.prompt,
                negative=painting.negative,
                size_px=size_for((stage.width, stage.height), painting.side_px or model.side_px),
                steps=painting.steps or STEPS[model.family],
                guidance=GUIDANCE[model.family] if painting.guidance is None else painting.guidance,
                loras=tuple(
                    (one.name, self.digests.of(self.shelf.lora(one.name).path), one.strength)
                    for one in painting.loras
                ),
                control=self._held(stage, painting, model),
            )
        except Misconfigured as error:
            raise NotPainted(plain(error)) from error
        except OSError as error:
            raise NotPainted(f"{error.filename} cannot be read ({error.strerror})") from error

    def _held(self, stage: Stage, painting: Painting, model: Model) -> Held | None:
        control = self.shelf.control(painting.control, model)
        if control is None or control.kind is None:
            return None
        seen = {
            "version": CONTROL_VERSION,
            "plate": plate_digest(stage),
            "surface": stage.surface.model_dump(mode="json"),
            "rig": stage.rig.model_dump(mode="json"),
            "view": [stage.view, stage.ground.elevation_deg],
        }
        shape = hashlib.sha256(json.dumps(seen, sort_keys=True).encode()).hexdigest()
        digest = self.digests.of(control.path)
        return Held(control.name, digest, control.kind, painting.control_strength, shape)

    def _there(self, order: Order, stage: Stage, painting: Painting) -> Background | None:
        """The background that this picture gets, if it is on the disk."""
        entries = {one.seed: one for one in self.files.of(order.digest) if not one.banned}
        pinned = [one for one in entries.values() if one.pinned]
        seed = self._seeds(order, stage, painting)[painting.take % painting.backgrounds]
        own = [entries[seed]] if seed in entries else []
        for entry in [*_from(pinned, painting.take + stage.seed), *own]:
            if (png := self.files.picture(entry)) is not None:
                return self._background(order, entry, _decoded(png), stage, painting)
        return None

    def _background(
        self, order: Order, entry: Entry, srgb: U8, stage: Stage, painting: Painting
    ) -> Background:
        """The picture as the set is made of it: upscaled where that is asked for and can be done."""
        settle = partial(self._settled, order, entry.seed, painting.settle) if painting.settle else None
        try:
            large = self._enlarged(entry, srgb, painting.upscaler, (stage.width, stage.height))
        except (Misconfigured, Busy) as error:
            why = f"{error} {error.advice}".strip()
            text = f"The painted background was enlarged the ordinary way, not by {painting.upscaler}: {why}"
            return Background(srgb, entry.name, (Note("not-upscaled", text),), settle)
        return Background(large, entry.name, settle=settle)

    def _enlarged(self, entry: Entry, srgb: U8, upscaler: str, size_px: tuple[int, int]) -> U8:
        """The picture, upscaled if it is smaller than the frame; the last few are remembered. Raises as `upscalers` do."""
        if not upscaler or srgb.shape[1] >= size_px[0]:
            return srgb
        key = (entry.sha256, upscaler, size_px)
        if key not in self._large:
            while len(self._large) >= REMEMBERED:
                del self._large[next(iter(self._large))]
            self._large[key] = in_eight_bits(self.upscalers(upscaler), srgb, size_px)
        return self._large[key]

    def _settled(self, order: Order, seed: int, freedom: float, srgb: U8, where: F32) -> U8:
        """The finished picture, painted over there by the model that painted its background. See `Settle`."""
        size = (srgb.shape[1], srgb.shape[0])
        mask = np.where(where > 0, np.uint8(255), np.uint8(0))
        over, shown = (
            Image.fromarray(one).resize(order.size_px, Image.Resampling.LANCZOS) for one in (srgb, mask)
        )
        with self._alone(), self._not_in_vain(order, SETTLING):
            made = self.painter(order, [Sheet(seed, None, _png(over), _png(shown), freedom)])
        return np.asarray(Image.fromarray(_decoded(made.pngs[0])).resize(size, Image.Resampling.LANCZOS))

    def _seeds(self, order: Order, stage: Stage, painting: Painting) -> list[int]:
        """As many seeds as the set has backgrounds; those of banned ones are passed over."""
        banned = {one.seed for one in self.files.of(order.digest) if one.banned}
        every = (
            (stage.seed + number * NEXT_SEED) % 2**31 for number in range(painting.backgrounds + len(banned))
        )
        return [seed for seed in every if seed not in banned][: painting.backgrounds]

    @contextlib.contextmanager
    def _not_in_vain(self, order: Order, seed: int) -> Iterator[None]:
        """What was in vain is not tried again for a while: a night's photos would all wait for it."""
        until, why = self._in_vain.get((order.digest, seed), (0.0, ""))
        if time.monotonic() < until:
            raise NotPainted(why)
        try:
            yield
        except NotAgain as error:
            self._in_vain[order.digest, seed] = time.monotonic() + PAUSE_S, str(error)
            raise

    def _paint(self, order: Order, stage: Stage, seeds: Sequence[int]) -> None:
        """Paint and keep. Raises `NotPainted`, and OSError when it cannot be written."""
        if not seeds:
            return
        set_up = usual_stage(stage, order.size_px)
        kind = order.control.kind if order.control else None
        sheets = [Sheet(seed, _shown(kind, replace(set_up, seed=seed)) if kind else None) for seed in seeds]
        made = self.painter(order, sheets)
        for sheet, png in zip(sheets, made.pngs, strict=True):
            refuse_nothing(_decoded(png))
            entry = Entry(
                name=f"{stage.surface.name}-{stage.rig.name}-{order.digest[:SHORT]}-{sheet.seed}",
                order=order.digest,
                seed=sheet.seed,
                sha256=hashlib.sha256(png).hexdigest(),
                made=dt.datetime.now(dt.UTC),
                told=asdict(order)
                | {"surface": stage.surface.name, "light": stage.rig.name, "view": stage.view}
                | {"seconds": round(made.seconds / len(sheets), 2), "card_mb": round(made.card_mb)},
            )
            self.files.put(entry, png)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the lock; raises `NotPainted` when another worker paints for too long."""
        durable.make_folders(self.lock.parent)
        handle = os.open(self.lock, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o644)
        end = time.monotonic() + self.painter.timeout_s
        try:
            while True:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > end:
                        raise NotPainted("another worker paints and does not come to an end") from None
                    time.sleep(LOOK_AGAIN_S)
            yield
        finally:
            os.close(handle)


def _from(entries: Sequence[Entry], start: int) -> list[Entry]:
    """All of them, beginning with one that `start` picks."""
    at = start % len(entries) if entries else 0
    return [*entries[at:], *entries[:at]]


@lru_cache(maxsize=4)
def _decoded(png: bytes) -> U8:
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
    pixels.flags.writeable = False
    return pixels


def _shown(kind: Kind, stage: Stage) -> bytes:
    """The control picture as a PNG file."""
    scene = None
    if kind == "edges":
        view: SceneView = "table" if stage.view == "table" else "flat"
        size = (stage.width, stage.height)
        scene = paint(stage.surface, stage.rig, view, size, stage.seed, stage.ground)
    return _png(Image.fromarray(control_picture(kind, stage, scene)))


def _png(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()
