"""The four places where the owner can see how a daemon is, read from outside: status, STATUS=, metrics and the log."""

from __future__ import annotations

import json
import socket
import threading

from prometheus_client.parser import text_string_to_metric_families

from daemon.cli.status import look
from daemon.live import METRICS_NAME, Live, run_folder
from daemon.logbook import NAME


class Ear:
    """A service manager's notify socket. heard: every datagram, in order."""

    def __init__(self, path):
        self.address = str(path)
        self.heard = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.address)
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self):
        while (word := self._socket.recv(65536)) != b"end":
            self.heard.append(word.decode())

    def status(self):
        """The last STATUS= line."""
        return next((word[7:] for word in reversed(self.heard) if word.startswith("STATUS=")), "")

    def close(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as mouth:
            mouth.sendto(b"end", self.address)
        self._thread.join(5)
        self._socket.close()


class Sight:
    """Where a state of a daemon shows. environment: of the daemon."""

    def __init__(self, studio, ear, environment):
        self.studio = studio
        self.ear = ear
        self.live = Live(run_folder(studio, environment))

    def figures(self):
        """(name, labels) -> value of all metrics."""
        try:
            text = (self.live.folder / METRICS_NAME).read_text()
        except FileNotFoundError:
            return {}
        families = text_string_to_metric_families(text)
        return {
            (one.name, *sorted(one.labels.values())): one.value for many in families for one in many.samples
        }

    def logged(self):
        """All lines of the log."""
        path = self.studio.logs / NAME
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def shows(self, code):
        """Place -> whether the state shows there."""
        return {
            "json": code in [state["code"] for state in look(self.studio)["degraded"]],
            "STATUS": f"{code}: " in self.ear.status(),
            "metrics": self.figures().get(("vitrine_degraded", code)) == 1.0,
            "log": any(line.get("code") == code for line in self.logged()),
        }

    def everywhere(self, code):
        """Whether the state shows in all four places."""
        return all(self.shows(code).values())

    def nowhere(self, code):
        """Whether it is over; the log keeps it, of course."""
        return not any(shown for place, shown in self.shows(code).items() if place != "log")
