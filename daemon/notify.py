"""Word to systemd (sd_notify(3)), over its socket in plain Python. Says nothing when there is nobody to hear."""

from __future__ import annotations

import os
import socket


class Systemd:
    """The service manager's ear. environment: of the process."""

    def __init__(self, environment: dict[str, str] | None = None) -> None:
        variables = os.environ if environment is None else environment
        address = variables.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        watchdog_us = int(variables.get("WATCHDOG_USEC", "0") or 0)
        pid = variables.get("WATCHDOG_PID", str(os.getpid()))
        self.watchdog_s = watchdog_us / 1e6 if pid == str(os.getpid()) else 0.0
        self._status = ""

    def ready(self) -> None:
        """The daemon watches."""
        self._send("READY=1")

    def stopping(self) -> None:
        """The daemon is on its way out."""
        self._send("STOPPING=1")

    def alive(self) -> None:
        """Both the loop and the scan are fresh."""
        if self.watchdog_s:
            self._send("WATCHDOG=1")

    def status(self, text: str) -> None:
        """One line for `systemctl status`; sent when it changes."""
        if text != self._status:
            self._status = text
            self._send(f"STATUS={text}")

    def _send(self, text: str) -> None:
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
            try:
                line.sendto(text.encode(), self._address)
            except OSError:
                return
