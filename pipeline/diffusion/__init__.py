"""Backgrounds painted by diffusion models from files on this machine; nothing here opens a socket."""
