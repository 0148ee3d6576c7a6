"""The painting process: real models, real processes, real deaths. Run by `make test-diffusion`."""

from __future__ import annotations

import io
import os
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.backdrop.diffused import NotPainted
from pipeline.diffusion.order import Held, Order, Sheet
from pipeline.diffusion.painter import ROOT, Painter

pytest.importorskip("diffusers", reason="the extra diffusion is not installed: make test-diffusion")
pytestmark = [pytest.mark.diffusion, pytest.mark.filterwarnings("ignore")]

from PIL import Image  # noqa: E402

ORDER = Order("tiny-sd", "", "velvet", "text", (64, 64), 2, 5.0)


@pytest.fixture(scope="module")
def shared(tiny):
    """One process for all tests that do not end it: it takes seconds to start."""
    made = Painter(tiny, timeout_s=120.0)
    yield made
    made.close()


@pytest.fixture
def painter(shared):
    before = shared.timeout_s
    yield shared
    shared.timeout_s = before


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)), np.int16)


def shown(step):
    stream = io.BytesIO()
    rows = np.arange(0, 256, 4, dtype=np.uint8)[::step]
    Image.fromarray(np.tile(rows[:, None, None], (1, 64, 3))).save(stream, "PNG")
    return stream.getvalue()


def test_a_seed_is_a_picture_and_the_model_stays_loaded(painter):
    first = painter(ORDER, [Sheet(3), Sheet(4)])
    again = painter(ORDER, [Sheet(4), Sheet(3)])
    assert first.pngs == again.pngs[::-1]
    assert first.pngs[0] != first.pngs[1]
    assert pixels(first.pngs[0]).shape == (64, 64, 3)
    assert (painter.starts, again.loads) == (1, 1)


def test_control_loras_and_models_are_changed_without_loading_more_than_needed(painter):
    plain = painter(ORDER, [Sheet(3)])
    worn = painter(replace(ORDER, loras=(("house-sd", "", 1.0),)), [Sheet(3)])
    held = replace(ORDER, control=Held("depth-sd", "", "depth", 1.0, ""))
    down, up = (painter(held, [Sheet(3, shown(step))]) for step in (1, -1))
    assert len({plain.pngs[0], worn.pngs[0], down.pngs[0], up.pngs[0]}) == 4
    assert painter(ORDER, [Sheet(3)]).pngs == plain.pngs
    assert up.loads == plain.loads
    turbo = painter(replace(ORDER, model="tiny-sdxl-turbo", guidance=0.0), [Sheet(3)])
    assert turbo.loads == up.loads + 1


def test_an_idle_process_ends_and_another_one_paints_the_same(tiny):
    painter = Painter(tiny, idle_s=0.5)
    first = painter(ORDER, [Sheet(3)])
    assert painter._child.wait(timeout=30) == 0
    assert painter(ORDER, [Sheet(3)]).pngs == first.pngs
    assert painter.starts == 2
    painter.close()


def test_a_process_that_is_killed_costs_a_note_and_the_next_order_is_painted(painter):
    painter(ORDER, [Sheet(3)])
    killer = threading.Timer(0.3, lambda: os.kill(painter._child.pid, signal.SIGKILL))
    killer.start()
    with pytest.raises(NotPainted, match="ended by SIGKILL, most often because memory ran out"):
        painter(replace(ORDER, steps=150), [Sheet(seed) for seed in range(50)])
    killer.join()
    assert len(painter(ORDER, [Sheet(3)]).pngs) == 1


def test_what_takes_too_long_is_stopped(painter):
    painter(ORDER, [Sheet(3)])
    child, painter.timeout_s = painter._child, 0.5
    with pytest.raises(NotPainted, match=r"took longer than 0.5 s"):
        painter(replace(ORDER, steps=150), [Sheet(seed) for seed in range(50)])
    assert child.poll() is not None


def test_what_cannot_be_used_is_said_and_the_process_goes_on(painter, tiny):
    with pytest.raises(NotPainted, match=f"the diffusion model none is not in {tiny}/diffusion"):
        painter(replace(ORDER, model="none"), [Sheet(3)])
    with pytest.raises(NotPainted, match="this LoRA was trained on models with words 80 wide"):
        painter(replace(ORDER, loras=(("house-sdxl", "", 1.0),)), [Sheet(3)])
    starts = painter.starts
    assert len(painter(ORDER, [Sheet(3)]).pngs) == 1
    assert painter.starts == starts


def test_it_paints_where_no_code_may_be_made_at_run_time(tiny):
    """The service's MemoryDenyWriteExecute=yes, taken for real."""
    import ctypes
    import subprocess
    import sys

    libc = ctypes.CDLL(None)
    if libc.prctl(66, 0, 0, 0, 0) < 0:
        pytest.skip("needs a kernel with PR_SET_MDWE (6.3)")
    code = (
        "import ctypes; from pathlib import Path; from pipeline.diffusion.painter import Painter\n"
        "from pipeline.diffusion.order import Order, Sheet\n"
        "assert ctypes.CDLL(None).prctl(65, 1, 0, 0, 0) == 0\n"
        f"made = Painter(Path({str(tiny)!r}))\n"
        "print(len(made(Order('tiny-sd', '', 'a', '', (64, 64), 1, 1.0), [Sheet(1)]).pngs)); made.close()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout == "1\n", done.stderr


def test_it_does_not_outlive_who_asked(tiny):
    code = (
        "import sys; from pathlib import Path; from pipeline.diffusion.painter import Painter\n"
        "from pipeline.diffusion.order import Order, Sheet\n"
        f"made = Painter(Path({str(tiny)!r})); made(Order('tiny-sd', '', 'a', '', (64, 64), 1, 1.0), [Sheet(1)])\n"
        "print(made._child.pid, flush=True); import os, signal; os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    import subprocess
    import sys

    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    child = Path(f"/proc/{int(said.stdout)}")
    end = time.monotonic() + 20
    while child.exists() and time.monotonic() < end:
        time.sleep(0.1)
    assert not child.exists()
