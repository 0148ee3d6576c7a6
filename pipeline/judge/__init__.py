"""Is the render fit to publish: figures about the piece and the picture. Refuses to change a pixel."""
