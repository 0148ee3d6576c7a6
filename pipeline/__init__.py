"""Pixels in, pixels out: a photo and a recipe become a render. Refuses inbox, queue, clock and database."""
