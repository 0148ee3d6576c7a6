"""What a crash leaves behind: temporary files and private copies that nobody needs. Owns their removal at start."""

from __future__ import annotations

from daemon import durable
from daemon.drops import Drops
from daemon.studio import Studio


def remove_leftovers(studio: Studio, drops: Drops) -> int:
    """Remove unfinished temporary files of ours and unused private copies; how many. Only while we hold the lock."""
    needed = drops.sources()
    leftovers = [path for path in studio.staging.iterdir() if studio.relative(path) not in needed]
    for folder in (studio.root, *studio.folders):
        if folder != studio.staging:
            leftovers += folder.rglob(f"{durable.TEMP_PREFIX}*") if folder != studio.root else ()
    for path in leftovers:
        durable.remove(path)
    return len(leftovers)
