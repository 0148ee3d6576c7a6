"""The process that paints: keeps one model loaded, paints one order after the other, ends when it is idle.

`python -m pipeline.diffusion.easel`: a line of JSON with its settings, then a line for each order, on stdin; a line for each
answer on stdout. A process of its own: its memory is the card's and not a worker's, a crash of a driver costs one picture, and
when it ends all memory is free. Refuses to look for work, to keep pictures and to know photos.
"""

from __future__ import annotations

import base64
import ctypes
import gc
import io
import json
import math
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.diffusion.files import Kind, Model
from pipeline.diffusion.load import (
    Machine,
    device_of,
    lacks_memory,
    open_model,
    painting_over,
    torch,
    under_control,
    wear,
)
from pipeline.diffusion.order import Order, Sheet, from_text
from pipeline.diffusion.shelf import Shelf
from pipeline.errors import Misconfigured

DEATH = 1  # PR_SET_PDEATHSIG, prctl(2)
BATCH_ON_A_CARD = 4
LEAST_STEPS = 2  # when painting over
LESS_MEMORY = 'Set offload = "model", batch = 1 or a smaller side_px in [diffusion].'


@dataclass(slots=True)
class Easel:
    """Paints orders. batch: pictures at a time, 0 = one on a processor, a few on a card. loads: models loaded so far."""

    shelf: Shelf
    machine: Machine = field(default_factory=Machine)
    batch: int = 0
    loads: int = 0
    _model: tuple[Model, str] | None = None
    _control: tuple[Kind, str] | None = None
    _plain: Any = None
    _pipe: Any = None
    _worn: tuple[tuple[str, str, float], ...] | None = ()

    def paint(self, order: Order, sheets: Sequence[Sheet]) -> Iterator[bytes]:
        """One PNG for each sheet. Raises Misconfigured, or whatever the libraries raise."""
        model = self.shelf.model(order.model)
        self._set_up(model, order)
        # Not the pipeline's own device: that is the processor where its parts wait in main memory.
        size = self.batch or (BATCH_ON_A_CARD if device_of(self.machine) == "cuda" else 1)
        for start in range(0, len(sheets), size):
            yield from self._together(order, sheets[start : start + size], model)

    def clear(self) -> None:
        """Forget the model; its memory is free for another."""
        self._model = self._control = self._plain = self._pipe = None
        self._worn = ()
        gc.collect()
        if torch().cuda.is_available():
            torch().cuda.empty_cache()

    def _set_up(self, model: Model, order: Order) -> None:
        """Load what the order asks for and is not at hand; a file that was replaced under its name is another one."""
        if self._model != (model, order.model_digest):
            self.clear()
            self._plain = self._pipe = open_model(model, self.machine)
            self._model, self.loads = (model, order.model_digest), self.loads + 1
        held = (order.control.kind, order.control.digest) if order.control else None
        if held != self._control:
            self._control, self._pipe = None, self._plain  # the former one's memory is free for the new one
            control = self.shelf.control(held[0], model) if held else None
            self._pipe = under_control(self._plain, control, self.machine, model) if control else self._plain
            self._control = held
        if order.loras != self._worn:
            self._worn = None  # until all are on
            wear(self._plain, [(self.shelf.lora(name), strength) for name, _, strength in order.loras], model)
            self._worn = order.loras

    def _together(self, order: Order, sheets: Sequence[Sheet], model: Model) -> list[bytes]:
        """All at a time; one by one where the card has no room for that."""
        try:
            return list(self._painted(order, sheets, model))
        except RuntimeError as error:
            if len(sheets) == 1 or not lacks_memory(error):
                raise
        torch().cuda.empty_cache()
        return [png for sheet in sheets for png in self._painted(order, [sheet], model)]

    def _painted(self, order: Order, sheets: Sequence[Sheet], model: Model) -> Iterator[bytes]:
        # Noise is made on the processor: the same seed is the same picture on every card.
        noise = [torch().Generator("cpu").manual_seed(sheet.seed) for sheet in sheets]
        more: dict[str, Any] = {}
        pipe, steps = self._pipe, order.steps
        if over := [sheet for sheet in sheets if sheet.over]:
            pipe, freedom = painting_over(self._plain), over[0].freedom
            steps = max(steps, math.ceil(LEAST_STEPS / freedom))  # of which the last `freedom` are taken
            more = {
                "image": [_image(sheet.over or b"") for sheet in over],
                "mask_image": [_image(sheet.mask or b"").convert("L") for sheet in over],
                "strength": freedom,
            }
        elif order.control:
            more = {
                "image": [_image(sheet.shown or b"") for sheet in sheets],
                "controlnet_conditioning_scale": order.control.strength,
            }
        if not model.family.startswith("flux") and order.guidance > 1:
            more["negative_prompt"] = [order.negative] * len(sheets)
        # Not `inference_mode`: what moves or changes its type in it (SDXL's decoder, parts that wait in main memory) stays fit
        # for nothing else.
        with torch().no_grad():
            made = pipe(
                prompt=[order.prompt] * len(sheets),
                width=order.size_px[0],
                height=order.size_px[1],
                num_inference_steps=steps,
                guidance_scale=order.guidance,
                generator=noise,
                **more,
            )
        for image in made.images:
            stream = io.BytesIO()
            image.save(stream, "PNG")
            yield stream.getvalue()


def _image(png: bytes) -> Any:
    from PIL import Image  # noqa: PLC0415

    return Image.open(io.BytesIO(png)).convert("RGB")


class _Line:
    """Lines from a descriptor."""

    def __init__(self, handle: int) -> None:
        self._handle, self._rest = handle, b""

    def read(self, wait_s: float | None) -> str:
        """The next one; "" when none came in that time (None: for ever), or none will come."""
        while b"\n" not in self._rest:
            if not select.select([self._handle], [], [], wait_s)[0]:
                return ""
            more = os.read(self._handle, 1 << 20)
            if not more:
                return ""
            self._rest += more
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode()


def serve(orders: int, answers: int) -> None:
    """Answer orders from one descriptor on the other until there is none for `idle_s`, or nobody asks any more."""
    line = _Line(orders)
    told = json.loads(line.read(None))
    _lift_and_end_with(told["parent"])
    easel = Easel(Shelf(Path(told["weights"])), Machine(**told["machine"]), told["batch"])
    while asked := line.read(told["idle_s"]):
        _say(answers, _answer(easel, json.loads(asked)))


def _answer(easel: Easel, asked: dict[str, Any]) -> dict[str, Any]:
    started = time.monotonic()
    try:
        made = [base64.b64encode(png).decode() for png in easel.paint(*from_text(asked))]
    except Misconfigured as error:
        return {"failed": str(error), "advice": error.advice}
    except Exception as error:  # noqa: BLE001 - a library's defect, a card's memory: it costs a note
        easel.clear()
        if lacks_memory(error):
            return {
                "failed": f"there is not enough memory for {asked['order']['model']}",
                "advice": LESS_MEMORY,
            }
        return {"failed": f"{type(error).__name__}: {' '.join(str(error).split())[:300]}", "advice": ""}
    return {
        "pictures": made,
        "seconds": time.monotonic() - started,
        "loads": easel.loads,
        "memory_mb": _resident_mb(),
        "card_mb": torch().cuda.max_memory_allocated() / 2**20 if torch().cuda.is_available() else 0.0,
    }


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _say(handle: int, message: dict[str, Any]) -> None:
    view = memoryview((json.dumps(message) + "\n").encode())
    while view:
        view = view[os.write(handle, view) :]


def _lift_and_end_with(parent: int) -> None:
    """A worker's cap of memory is for photos; and nobody paints for the dead."""
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))
    ctypes.CDLL(None).prctl(DEATH, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        raise SystemExit(1)


if __name__ == "__main__":
    out = os.dup(1)
    os.dup2(2, 1)  # a library that prints must not speak on the line
    serve(0, out)
    sys.exit(0)
