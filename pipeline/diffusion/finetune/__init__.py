"""Fine-tuning a diffusion model of the owner's on the shop's own pictures: a LoRA for their grounds and light.

A room of its own in `pipeline/`: it is pixels in, weights out, through the same door to diffusers as painting. `weights/train/` is
the recipe of our own networks, which is run once by us; this is run by a shop, on its photos, and what comes out stays there.
"""
