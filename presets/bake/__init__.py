"""The recipe that makes the plates: which sets, under which lights, and Blender's part of it. Refuses to render a photo."""
