"""The switch that keeps model libraries off the network. Owns the variables they read; refuses to import any of them."""

from __future__ import annotations

import os
from typing import Final

HUB_OFF: Final = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "DIFFUSERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DISABLE_TELEMETRY": "YES",
    "DO_NOT_TRACK": "1",
}


def hub_off() -> None:
    """Switch the hub off in this process and its children. Call it before such a library is imported: they read it once."""
    os.environ |= HUB_OFF
