"""Decisions: folder name to plan, render to verdict. Refuses files, clock, pixels and sockets."""
