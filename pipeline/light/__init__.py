"""Light on the piece and on the ground: gobo patterns, cast shadow, floor reflection, relight. Refuses files."""
