"""Enlarging pictures by networks of Real-ESRGAN's two families, from the owner's own files. Refuses to fetch any."""
