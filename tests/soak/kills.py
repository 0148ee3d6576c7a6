"""Proofs that processes may be killed at any moment: `kills` at random ones, `failpoints` at each that matters.

This is `kill -9`, not a power cut: what a process has written, the system keeps. `power` (in `power.py`) is the other one.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from daemon.failpoint import POINTS, VARIABLE
from tests.daemon import verify
from tests.daemon.studios import SETTINGS, Daemon, jpeg, until
from tests.soak.proof import Row, Say, share_of, studio_folder

KILLS, PHOTOS, TIMES = 1000, 400, 20
BACK_S = 5.0
MOMENTS, IDLE_S, BUSY_S = 50, 2.0, 15.0
_WORK = "SELECT count(*) FROM jobs WHERE state IN ('waiting', 'leased')"
_OPEN = "SELECT count(*) FROM drops WHERE state IN ('settling', 'open')"


class Run:
    """A daemon that is killed and started again, and the photos that it was given."""

    def __init__(self, place: Path, environment: dict[str, str] | None = None) -> None:
        flags = place / "flags"
        flags.mkdir(parents=True)
        settings = {"VITRINE_RENDERER": "quick:linger", "VITRINE_WORKERS": "2"}
        self.daemon = Daemon(place / "studio", flags, settings | (environment or {}))
        self.daemon.studio.create()
        (self.daemon.studio.root / "vitrine.toml").write_text(SETTINGS)
        self.photos: dict[str, bytes] = {}
        self.back_s: list[float] = []
        self.hit = 0
        self.stops = 0
        self.at_points = 0

    def feed(self, count: int) -> None:
        """Drop photos until there are so many."""
        while len(self.photos) < count:
            name = f"p{len(self.photos):04}.jpg"
            self.photos[name] = jpeg(len(self.photos))
            self.daemon.drop(name, self.photos[name])

    def start(self) -> None:
        """Start the daemon; it is not waited for."""
        (self.daemon.flags / "stderr").write_text("")
        self.daemon.start(wait=False)

    def alive(self) -> bool:
        """Whether the supervisor runs."""
        return self.daemon.process.poll() is None

    def kill_supervisor(self) -> None:
        """Kill it, start the next one, and see how long it takes until that one works."""
        self.hit += bool(self._leased())
        self.daemon.process.kill()
        self.daemon.process.wait()
        killed = time.monotonic()
        self.start()
        until(self._works, 60.0, "work after a kill")
        self.back_s.append(time.monotonic() - killed)

    def kill_worker(self, chance: random.Random) -> bool:
        """Kill one of the workers; False if there is none at the moment."""
        workers = self.daemon.workers() if self.alive() else []
        if not workers:
            return False
        pid = chance.choice(workers)
        self.hit += any(f":{pid}:" in owner for owner in self._leased())
        os.kill(pid, signal.SIGKILL)
        return True

    def finish(self, timeout_s: float = 120.0) -> None:
        """Let the work come to its end."""
        if not self.alive():
            self.start()
        until(lambda: self.alive() and self.daemon.rows(_OPEN) == [(0,)], timeout_s, "the end of the work")

    def retry(self) -> int:
        """Give those that were put aside another try, as the owner would; how many there were."""
        aside = self.daemon.rows("SELECT count(*) FROM drops WHERE state = 'rejected'")[0][0]
        if aside:
            words = ["retry", "--all", "--studio", os.fspath(self.daemon.studio.root)]
            code = f"from daemon.cli import main; main({words!r})"
            subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
            self.finish()
        return int(aside)

    def rows(self) -> Iterator[Row]:
        """What must hold afterwards, whatever was done to the daemon."""
        self.daemon.stop()
        studio, done = self.daemon.studio, self.daemon.states().get("done", 0)
        lost, twice = verify.lost(studio, self.photos), verify.twice(studio, self.photos)
        missing = verify.missing(studio, self.photos)
        partial, unsound = verify.partial(studio), verify.unsound(studio)
        yield Row("photos lost", "0", f"{len(lost)} of {len(self.photos)}", met=not lost)
        yield Row(
            "photos done", f"{len(self.photos)}", f"{done}", met=done == len(self.photos) and not missing
        )
        yield Row("rendered twice into a sink", "0", f"{len(twice)}", met=not twice)
        yield Row("partial files in a sink", "0", f"{len(partial)}", met=not partial)
        yield Row("the ledger", "sound", unsound or "sound", met=not unsound)

    def _leased(self) -> list[str]:
        return [owner for (owner,) in self.daemon.rows("SELECT owner FROM jobs WHERE state = 'leased'")]

    def _works(self) -> bool:
        """It watches, and somebody who lives has a job, or there is none."""
        if not self.alive() or "watching" not in self.daemon.said():
            return False
        workers = {str(pid) for pid in self.daemon.workers()}
        return any(owner.split(":")[1] in workers for owner in self._leased()) or self.daemon.rows(_WORK) == [
            (0,)
        ]


def kills(share: float, say: Say) -> Iterator[Row]:
    """Supervisor and workers killed at random moments while photos come in."""
    wanted, photos = share_of(KILLS, share), share_of(PHOTOS, share)
    chance = random.Random(20_261)
    with studio_folder("kills") as place:
        run = Run(place)
        run.start()
        killed = {"supervisor": 0, "worker": 0}
        while sum(killed.values()) < wanted:
            run.feed(-(-photos * (sum(killed.values()) + 1) // wanted))
            time.sleep(chance.random() * 0.5)  # the random moment itself, not a wait for something
            if chance.random() < 0.3:
                run.kill_supervisor()
                killed["supervisor"] += 1
            elif run.kill_worker(chance):
                killed["worker"] += 1
            if sum(killed.values()) % 50 == 0:
                say(f"kills: {killed}, {run.daemon.states()}")
        run.finish()
        aside = run.retry()
        both = sum(killed.values())
        told = f"{killed['supervisor']} of supervisor, {killed['worker']} of workers"
        yield Row("kills", f"{wanted}", told, met=both == wanted)
        yield Row("of them in the middle of a job", "", f"{run.hit}", met=run.hit > 0)
        yield Row("hit three times, put aside, done after a retry", "", f"{aside}", met=True)
        yield from run.rows()
        worst = max(run.back_s, default=0.0)
        yield Row("back to work, worst", f"<= {BACK_S:g} s", f"{worst:.1f} s", met=worst <= BACK_S)


def failpoints(share: float, say: Say) -> Iterator[Row]:
    """Killed at each point that matters, so and so often, each time with another photo on its way."""
    times = share_of(TIMES, share)
    with studio_folder("failpoints") as place:
        tokens = place / "tokens"
        tokens.mkdir(parents=True)
        run = Run(place, {VARIABLE: os.fspath(tokens), "VITRINE_RENDERER": "quick:behave"})
        run.start()
        passed = [point for point in POINTS if point != "after-review"]
        for point in passed:
            at_point(run, tokens, point, times)
            say(f"failpoints: {point}: {times} kills")
        wanted = times * len(passed)
        yield Row(
            f"kills, {times} at each of {len(passed)} points",
            f"{wanted}",
            f"{run.at_points}",
            met=run.at_points == wanted,
        )
        yield from run.rows()


def at_point(run: Run, tokens: Path, point: str, times: int) -> None:
    """Drop photos one by one, each to be on its way when a process comes to the point and is killed."""
    for _ in range(times):
        (tokens / point).touch()
        run.feed(len(run.photos) + 1)
        until(lambda: not (tokens / point).exists(), 30.0, f"the kill at {point}")
        run.at_points += 1
        until(lambda: _again(run), 30.0, f"the end of a photo after the kill at {point}")


def _again(run: Run) -> bool:
    if not run.alive():
        run.start()
    return run.daemon.rows("SELECT count(*) FROM drops WHERE state = 'done'") == [(len(run.photos),)]


def signals(share: float, say: Say) -> Iterator[Row]:
    """SIGTERM, SIGINT and SIGHUP at random moments; a stop with nothing to do, and one while a picture takes for ever."""
    moments = share_of(MOMENTS, share, 3)
    chance = random.Random(39)
    idle: list[float] = []
    busy: list[float] = []
    with studio_folder("signals") as place:
        run = Run(place)
        for number in range(moments):
            run.feed(4 * (number + 1))
            run.start()
            until(lambda: "watching" in run.daemon.said(), 30.0, "the start")
            time.sleep(chance.random() * 0.8)  # the random moment itself
            run.daemon.process.send_signal(signal.SIGHUP)
            busy.append(_stop(run, chance.choice((signal.SIGTERM, signal.SIGINT))))
        say(f"signals: {moments} stops, {run.daemon.states()}")
        run.start()
        run.finish()
        idle.append(_stop(run, signal.SIGTERM))
        counted = run.daemon.rows("SELECT count(*) FROM jobs WHERE attempts > 1")[0][0]
        (run.daemon.flags / "behave").write_text("hang")
        run.start()
        run.feed(len(run.photos) + 1)
        until((run.daemon.flags / "hanging").exists, 30.0, "a render that hangs")
        busy.append(_stop(run, signal.SIGTERM))
        (run.daemon.flags / "behave").write_text("")
        run.start()
        run.finish()
        wanted = moments + 2
        yield Row("stops that ended with 0", f"{wanted}", f"{run.stops}", met=run.stops == wanted)
        yield Row("photos blamed for a stop", "0", f"{counted}", met=counted == 0)
        yield Row("stop, nothing to do", f"<= {IDLE_S:g} s", f"{max(idle):.1f} s", met=max(idle) <= IDLE_S)
        yield Row(
            "stop, at work or hanging", f"<= {BUSY_S:g} s", f"{max(busy):.1f} s", met=max(busy) <= BUSY_S
        )
        yield from run.rows()


def _stop(run: Run, number: signal.Signals) -> float:
    """Seconds that it took."""
    started = time.monotonic()
    code = run.daemon.stop(number, timeout_s=60)
    run.stops += code == 0
    return time.monotonic() - started


PROOFS = {"signals": signals, "kills": kills, "failpoints": failpoints}
