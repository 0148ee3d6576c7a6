"""The door to the painting process. Owns its start, its time and its end; refuses to fail a photo: all is `NotPainted`."""

from __future__ import annotations

import base64
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from pipeline.backdrop.diffused import NotAgain, NotPainted
from pipeline.diffusion.load import Machine, require_libraries
from pipeline.diffusion.order import Order, Sheet, as_text
from pipeline.errors import Misconfigured
from pipeline.offline import HUB_OFF

ROOT: Final = Path(__file__).resolve().parents[2]
END_S: Final = 20.0  # for a process that closed its line to be gone
COMMAND: Final = (sys.executable, "-m", "pipeline.diffusion.easel")


@dataclass(frozen=True, slots=True)
class Painted:
    """What came back: PNG files in the order of the sheets, and figures.

    loads: models loaded by this process so far; memory_mb: resident now; card_mb: the card's peak, 0 without one.
    """

    pngs: tuple[bytes, ...]
    seconds: float
    loads: int
    memory_mb: float
    card_mb: float


class _WentHome(Exception):  # noqa: N818 - no error
    """The process was idle for too long and ended just now."""


@dataclass(slots=True)
class Painter:
    """Has orders painted by a process of its own, which is started when it is needed.

    weights: the studio's folder. batch: pictures at a time, 0 = by the machine. idle_s: after so long without an order the
    process ends and its memory is free. timeout_s: for one order.
    """

    weights: Path
    machine: Machine = field(default_factory=Machine)
    batch: int = 0
    idle_s: float = 300.0
    timeout_s: float = 600.0
    starts: int = 0
    _child: subprocess.Popen[bytes] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, order: Order, sheets: Sequence[Sheet]) -> Painted:
        """One picture for each sheet. Raises `NotPainted`."""
        with self._lock:
            try:
                require_libraries()
                said = self._answer(as_text(order, sheets))
            except Misconfigured as error:
                raise NotPainted(plain(error)) from error
            except OSError as error:
                self._end()
                raise NotPainted(f"the painting process cannot be used ({error.strerror})") from error
        if "failed" in said:
            raise NotPainted(" ".join(filter(None, (said["failed"].rstrip("."), said["advice"].rstrip(".")))))
        pngs = tuple(base64.b64decode(one) for one in said["pictures"])
        return Painted(pngs, said["seconds"], said["loads"], said["memory_mb"], said["card_mb"])

    def close(self) -> None:
        """End the process, if there is one."""
        with self._lock:
            self._end()

    def _answer(self, message: dict[str, Any]) -> dict[str, Any]:
        try:
            return self._asked(self._running(), message)
        except _WentHome:
            return self._asked(self._running(), message)

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is not None and self._child.poll() is None:
            return self._child
        self._end()
        self._child = subprocess.Popen(  # noqa: S603 - our own module
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            process_group=0,  # Ctrl-C in a terminal is for the parent, with whom it ends
            env=os.environ | HUB_OFF,
        )
        self.starts += 1
        told = {
            "weights": os.fspath(self.weights.absolute()),
            "machine": asdict(self.machine),
            "batch": self.batch,
        }
        self._tell(self._child, told | {"idle_s": self.idle_s, "parent": os.getpid()})
        return self._child

    def _asked(self, child: subprocess.Popen[bytes], message: dict[str, Any]) -> dict[str, Any]:
        end = time.monotonic() + self.timeout_s
        self._tell(child, message)
        said = bytearray()  # pictures have megabytes: they are put together once
        while not said.endswith(b"\n"):
            left = end - time.monotonic()
            if left <= 0 or not select.select([_number(child.stdout)], [], [], left)[0]:
                self._end()
                raise NotAgain(f"painting took longer than {self.timeout_s:g} s")
            more = os.read(_number(child.stdout), 1 << 20)
            if not more:
                raise self._ended()
            said += more
        answer: dict[str, Any] = json.loads(said)
        return answer

    def _tell(self, child: subprocess.Popen[bytes], message: dict[str, Any]) -> None:
        view = memoryview((json.dumps(message) + "\n").encode())
        try:
            while view:
                view = view[os.write(_number(child.stdin), view) :]
        except BrokenPipeError:
            raise self._ended() from None

    def _ended(self) -> Exception:
        """How the process ended; it is gone then."""
        child = self._child
        code = 0
        if child:
            try:
                code = child.wait(END_S)
            except subprocess.TimeoutExpired:  # a driver that does not let go
                code = -signal.SIGKILL
        self._end()
        if code < 0:
            name = signal.Signals(-code).name
            return NotPainted(f"the painting process was ended by {name}, most often because memory ran out")
        return NotPainted(f"the painting process ended with code {code}") if code else _WentHome()

    def _end(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            for stream in (self._child.stdin, self._child.stdout):
                if stream is not None:
                    stream.close()
        self._child = None


def _number(stream: Any) -> int:
    if stream is None:
        raise RuntimeError("no pipes to the painting process")
    return int(stream.fileno())


def plain(error: Misconfigured) -> str:
    """Message and advice as one clause."""
    return ". ".join(part.rstrip(".") for part in (str(error), error.advice) if part)
