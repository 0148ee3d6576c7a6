"""A daemon in a studio of its own, for the proofs that drop files into its inbox."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

from daemon.studio import Studio
from tests.daemon.studios import Daemon
from tests.soak.proof import studio_folder


@contextlib.contextmanager
def running(name: str, settings: str) -> Iterator[Daemon]:
    """Started, with the quick renderer; ended and removed afterwards."""
    with studio_folder(name) as folder:
        flags = folder / "flags"
        flags.mkdir()
        studio = Studio(folder / "studio")
        studio.create()
        (studio.root / "vitrine.toml").write_text(settings)
        daemon = Daemon(studio.root, flags)
        try:
            yield daemon.start()
        finally:
            daemon.end()


def wait_for(condition: Callable[[], bool], timeout_s: float, every_s: float = 0.1) -> float | None:
    """Seconds until it came true, None if it did not in time."""
    start = time.monotonic()
    while time.monotonic() - start < timeout_s:
        if condition():
            return time.monotonic() - start
        time.sleep(every_s)
    return None
