"""One job through a power cut: recorded once, then run again from each state that the cut may have left."""

from __future__ import annotations

import os

from daemon.tidy import remove_leftovers
from tests.daemon import powercut
from tests.daemon.studios import Hall

SINKS = ("export", "watermark", "instagram-queue", "review", "rejected")


class Power:
    """A studio below `place` and one photo that comes to `outcome`. checked: states that had to end with one result."""

    def __init__(self, place, flags, photo, outcome):
        self.root = place / "studio"
        self.vault = place / "vault"
        self.flags = flags
        self.photo = photo
        self.outcome = outcome
        self.checked = 0
        self.recorder = None

    def record(self):
        """Run the job with the diary on."""
        hall = Hall(self.root, self.flags)
        with powercut.recorded(self.root) as recorder:
            path = hall.drop("ring.jpg", self.photo)
            os.link(path, self.vault)
            recorder.foreign(path)
            self.node = recorder.names[path]
            self._run(hall)
        hall.ledger.close()
        self.final = {path: path.read_bytes() for path in self._shown()}
        self.recorder = recorder
        return recorder

    def wrong(self, state):
        """What is wrong in this state, or after work went on from it; nothing, one hopes."""
        powercut.materialise(state, self.root, {self.node: self.vault})
        hall = Hall(self.root, self.flags)
        try:
            hall.ledger.connection.execute(
                "UPDATE jobs SET owner = 'another-boot:1:1' WHERE owner IS NOT NULL"
            )
            found = self._wrong_at_once(hall)
            if self._taken(hall) or self._whole_in_inbox(hall):
                self.checked += 1
                self._run(hall)
                found += self._wrong_at_the_end(hall)
            return found
        finally:
            hall.ledger.close()

    def _run(self, hall):
        hall.store.recover()
        remove_leftovers(hall.studio, hall.drops)
        for _ in range(2):
            hall.pass_time()
            hall.work()
            hall.arrivals.put_away_the_rest()

    def _taken(self, hall):
        return bool(hall.ledger.connection.execute("SELECT 1 FROM drops WHERE digest IS NOT NULL").fetchone())

    def _whole_in_inbox(self, hall):
        path = hall.studio.inbox / "rings/ring.jpg"
        return path.exists() and path.read_bytes() == self.photo

    def _shown(self):
        for sink in SINKS:
            for path in (self.root / sink).rglob("*"):
                if path.is_file() and not path.name.startswith("."):
                    yield path

    def _wrong_at_once(self, hall):
        found = [f"{path} is partial" for path in self._shown() if path.read_bytes() != self.final.get(path)]
        rows = hall.ledger.connection.execute(
            "SELECT 1 FROM jobs WHERE state IN ('done', 'review')"
        ).fetchall()
        if rows and {*self._shown()} != {*self.final}:
            found.append("done, and an output is missing")
        if self._taken(hall) and not any(
            path.is_file() and path.read_bytes() == self.photo for path in self.root.rglob("*")
        ):
            found.append("the photo is lost")
        return found

    def _wrong_at_the_end(self, hall):
        found = [f"{path} is missing" for path in self.final if not path.exists()]
        found += [
            f"{path} is too much or changed"
            for path in self._shown()
            if path.read_bytes() != self.final.get(path)
        ]
        account = {name: count for name, count in hall.drops.account().items() if count and name != "seen"}
        if account.pop(self.outcome, 0) != 1 or set(account) - {"duplicate"}:
            found.append(f"account {hall.drops.account()}")
        kept = hall.studio.rejected if self.outcome == "rejected" else hall.studio.originals
        copies = [path for path in self.root.rglob("*") if path.is_file() and path.read_bytes() == self.photo]
        if len(copies) != 1 or not copies[0].is_relative_to(kept):
            found.append(f"the photo is at {copies}")
        left = hall.files("inbox/rings") + hall.files(".vitrine/staging")
        return found + [f"{name} is left" for name in left]
