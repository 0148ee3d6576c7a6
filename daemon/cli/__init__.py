"""The command line. Owns words, options and exit codes; refuses to decide or render anything itself."""

from __future__ import annotations

from daemon.cli.app import main

__all__ = ["main"]
