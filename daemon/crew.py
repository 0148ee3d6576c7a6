"""The worker processes: started, woken, watched, replaced. Owns children and deadlines; refuses jobs' content."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from daemon.jobstore import Queue
from daemon.ledger import LedgerDamaged
from daemon.limits import oom_kills, thread_environment
from daemon.line import Line, Message, say
from daemon.owner import Owner, process
from daemon.settings import Settings
from daemon.sqlite_store import SqliteStore
from daemon.studio import Studio
from pipeline.errors import Misconfigured

log = logging.getLogger("vitrine.crew")
JOBS_PER_WORKER = 200  # then a fresh process takes over, whatever libraries may have leaked
_RESPAWN_S = (0.0, 0.5, 2.0, 10.0, 30.0)
_START_S = 120.0
_LOOP_DEATHS, _LOOP_S = 4, 60.0  # so many deaths in that time are no accident, nor one photo's three tries
SPARED_MOST = 10  # a photo that is too much for a killer other than the kernel's must come to an end, too
_CONFIGURATION = os.EX_CONFIG
LEDGER_DAMAGED, UNRECORDED = os.EX_IOERR, os.EX_TEMPFAIL  # exit codes of `daemon.worker`
_DEATHS: dict[int, str] = {
    signal.SIGKILL: "it was stopped from outside, most often because memory ran out.",
    signal.SIGSEGV: "a program library crashed on this photo.",
    signal.SIGABRT: "a program library gave up on this photo.",
    signal.SIGBUS: "a file could not be read to its end.",
}
_FROM_OUTSIDE = "a person or another program killed it."


@dataclass(slots=True)
class Member:
    """One child. busy_since: monotonic time of its claim, None when idle; deadline_s: of the job it is at."""

    child: subprocess.Popen[bytes]
    line: Line
    owner: Owner
    busy_since: float | None = None
    deadline_s: float = 0.0
    job: str = ""
    key: str = ""
    jobs: int = 0
    ready: bool = False
    killed_for: str = ""
    started: float = field(default_factory=time.monotonic)
    misconfigured: str = ""
    oom_kills: int | None = field(default_factory=oom_kills)  # when it began
    owed: Message = field(default_factory=dict)  # what could not be said yet

    @property
    def killed_from_outside(self) -> bool:
        """Whether it was surely not for its photo that it got SIGKILL: not by us, and not by the kernel for memory."""
        by_kernel = self.oom_kills is None or oom_kills() != self.oom_kills
        return self.child.returncode == -signal.SIGKILL and not self.killed_for and not by_kernel


@dataclass(slots=True)
class Crew:
    """All workers of one daemon. hear: called with each message of a worker."""

    studio: Studio
    store: SqliteStore
    settings: Settings
    hear: Callable[[Message], None]
    jobs_per_worker: int = JOBS_PER_WORKER
    spared_most: int = SPARED_MOST
    members: list[Member] = field(default_factory=list)
    starts: int = 0
    deaths: int = 0
    _early_deaths: int = 0
    _died_at: deque[float] = field(default_factory=lambda: deque(maxlen=_LOOP_DEATHS))
    _why: str = ""
    _not_before: float = 0.0

    def fill(self, now: float, queues: Sequence[Queue]) -> None:
        """Start workers until there are as many as the settings say, and say again what was not heard."""
        for member in self.members:
            if member.owed:
                self._say(member)
        while len(self.members) < self.settings.workers and now >= self._not_before:
            self._start(queues)

    def wake(self, queues: Sequence[Queue]) -> None:
        """Tell all workers that there may be work, and in which queues."""
        for member in self.members:
            self._say(member, queues=list(queues))

    def listen(self, member: Member) -> None:
        """Take in what a worker said."""
        for message in member.line.read(0.0):
            event = message.get("event")
            if event == "ready":
                member.ready, self._early_deaths = True, 0
            elif event == "misconfigured":
                member.misconfigured = str(message.get("reason", ""))
            elif event == "claimed":
                member.busy_since, member.job = time.monotonic(), str(message.get("name", ""))
                member.key = str(message.get("key", ""))
                raytraced, painted = (bool(message.get(slow)) for slow in ("raytraced", "painted"))
                member.deadline_s = self.settings.deadline_s(raytraced=raytraced, painted=painted)
            elif event == "log":
                _relay(message)
            elif event == "finished":
                member.busy_since = None
                member.jobs += 1
                if member.jobs >= self.jobs_per_worker:
                    self._dismiss(member)
            self.hear(message)

    def trouble(self, now: float) -> str:
        """What is wrong with the workers, for the owner; "" if nothing is."""
        looping = len(self._died_at) == _LOOP_DEATHS and now - self._died_at[0] < _LOOP_S
        missing = self.settings.workers - sum(member.ready for member in self.members)
        if not looping and not (missing and self._early_deaths > 1):
            return ""
        return (
            f"workers end again and again, last because {self._why.rstrip('.')}. They are started anew and no photo is"
            " lost, but work may stand still. Look for lack of memory or a broken installation (`vitrine check`)."
        )

    def enforce_deadline(self, now: float) -> None:
        """Kill workers that take too long over one photo, or to start."""
        for member in self.members:
            if not member.ready and not member.killed_for and now - member.started > _START_S:
                member.killed_for = f"it did not start within {_START_S:g} s."
                member.child.kill()
            if member.busy_since is not None and now - member.busy_since > member.deadline_s:
                member.killed_for = f"it took longer than {member.deadline_s:g} s."
                about = {"job": member.key, "photo": member.job, "worker": member.child.pid}
                log.warning("%s: stopped, %s", member.job, member.killed_for, extra=about)
                member.busy_since = None
                member.child.kill()

    def bury(self, now: float) -> bool:
        """Remove ended workers and free their jobs; whether there were any. Raises Misconfigured."""
        dead = [member for member in self.members if member.child.poll() is not None]
        for member in dead:
            self.listen(member)
            self.members.remove(member)
            self._close(member)
            self._account_for(member, now)
        if dead:
            self.recover()
        return bool(dead)

    def recover(self) -> bool:
        """Free the jobs of the dead, but for our own that are not buried yet; whether a photo was given up by it."""
        return bool(self.store.recover([member.owner for member in self.members]))

    def renew(self) -> None:
        """Let all workers end after their present job: the settings changed."""
        for member in self.members:
            self._dismiss(member)

    def stop(self, grace_s: float, impatient: Callable[[], bool]) -> None:
        """No new claims; let workers finish for `grace_s`, then take their jobs back and kill them."""
        for member in self.members:
            self._dismiss(member)
            member.child.terminate()
        unrecorded: list[Owner] = []
        end = time.monotonic() + grace_s
        while self.members and time.monotonic() < end and not impatient():
            for member in list(self.members):
                member.line.read(0.02)
                if member.child.poll() is not None:
                    self.members.remove(member)
                    self._close(member)
                    if member.child.returncode == UNRECORDED:
                        unrecorded.append(member.owner)
        for owner in (*unrecorded, *self.kill()):
            self.store.excuse(owner)

    def kill(self) -> list[Owner]:
        """End all workers at once, without a word to the ledger; who they were."""
        owners = [member.owner for member in self.members]
        for member in self.members:
            member.child.kill()
            member.child.wait()
            self._close(member)
        self.members.clear()
        return owners

    def _start(self, queues: Sequence[Queue]) -> None:
        command = [sys.executable, "-m", "daemon.worker", "--studio", os.fspath(self.studio.root)]
        child = subprocess.Popen(  # noqa: S603 - our own module
            [*command, "--parent", str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            process_group=0,  # Ctrl-C in a terminal is for the supervisor, which stops its workers in order
            env=os.environ | thread_environment(self.settings.worker_threads),
        )
        if child.stdin is None or child.stdout is None:
            raise RuntimeError("no pipes to the worker")
        os.set_blocking(child.stdin.fileno(), False)
        try:
            owner = process(child.pid)
        except ProcessLookupError:  # dead already; `bury` finds it
            owner = Owner("", child.pid, 0)
        self.starts += 1
        member = Member(child, Line(child.stdout.fileno()), owner)
        self.members.append(member)
        self._say(member, settings=self.settings.model_dump(mode="json"), queues=list(queues))

    def _account_for(self, member: Member, now: float) -> None:
        code = member.child.returncode
        if code == _CONFIGURATION:
            raise Misconfigured(member.misconfigured or "a worker could not start with these settings.")
        if code == LEDGER_DAMAGED:
            raise LedgerDamaged("a worker could not read it")
        if code == UNRECORDED:
            self.store.excuse(member.owner)
        if code in {0, UNRECORDED} and member.ready:
            return
        if not member.ready:
            self._early_deaths += 1
            self._not_before = now + _RESPAWN_S[min(self._early_deaths, len(_RESPAWN_S)) - 1]
        outside = member.killed_from_outside
        why = member.killed_for or _DEATHS.get(-code, f"a worker ended with code {code}.")
        why = _FROM_OUTSIDE if outside else why
        self.deaths += 1
        self._died_at.append(now)
        self._why = why
        about: dict[str, object] = {"worker": member.child.pid}
        if member.busy_since is not None or member.killed_for:
            about |= {"job": member.key, "photo": member.job}
        log.warning("worker %d ended: %s", member.child.pid, why, extra=about)
        self.store.blame(member.owner, why)
        if outside:
            self.store.spare(member.owner, self.spared_most)

    def _dismiss(self, member: Member) -> None:
        self._say(member, stop=True)

    def _say(self, member: Member, **message: object) -> None:
        """Never waits: a worker in the middle of a picture does not listen, and its line may be full by now."""
        member.owed |= message
        stdin = member.child.stdin
        if stdin is not None and not stdin.closed and say(stdin.fileno(), **member.owed):
            member.owed = {}

    def _close(self, member: Member) -> None:
        for stream in (member.child.stdin, member.child.stdout):
            if stream is not None:
                stream.close()


def _relay(message: Message) -> None:
    """Say what a worker said, as it would have."""
    about = {field: message.get(field) for field in ("job", "drop", "photo", "worker")}
    level = message.get("level", logging.WARNING)
    logging.getLogger("vitrine.worker").log(int(level), "%s", message.get("text", ""), extra=about)
