"""Surfaces, lighting rigs, looks and templates as data, and the door to them. Refuses to render."""
