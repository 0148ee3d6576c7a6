"""What a ControlNet is shown of the set: depth, normals or edges. Owns these pictures' conventions; refuses to run a network.

The set is seen by the camera of every picture, a piece of middling size standing in it, so that one painted background serves
all pieces. Its shape is that of its plate, else of its painter: folds, a sweep; polished stone is flat. Conventions: depth as MiDaS gives it (near is
white); normals as ScanNet's (front blue, up green, left red), as ControlNet 1.1 was trained; edges by Canny (1986), white.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import cv2
import numpy as np

from pipeline.backdrop.filters import f32
from pipeline.backdrop.minimal import HIGHEST, cove
from pipeline.backdrop.plate_file import Unusable
from pipeline.backdrop.plate_shape import plate_shape
from pipeline.backdrop.relief import Seen, raster_for, see
from pipeline.backdrop.stage import Stage
from pipeline.backdrop.velvet import LAID, TALLEST
from pipeline.color import luminance, srgb_from_linear
from pipeline.diffusion.files import Kind
from pipeline.layout import CONTACT_AT, MIDDLE_AT
from pipeline.values import F32, U8, Ground, Scene

VERSION = 2  # of what the pictures show
MIDDLING = 0.62  # of the frame's short side: the piece
FLOOR = 0.15  # depth's farthest, of 1
LEAST_SPAN = 0.3  # units of the piece between black and white, at least
CANNY = (16, 44)
MOST_CONTRAST, EDGE_BLUR = 5.0, 1 / 220  # the blur is a share of the side: it takes pile and grain away


def usual_stage(stage: Stage, size_px: tuple[int, int]) -> Stage:
    """The set-up without its piece: the same for all pieces. size_px: (width, height) of the painting."""
    width, height = size_px
    at = CONTACT_AT if stage.view == "table" else MIDDLE_AT
    ground = Ground(stage.ground.elevation_deg, MIDDLING * min(size_px), (width / 2, at * height))
    return replace(stage, width=width, height=height, ground=ground)


def depth(stage: Stage) -> U8:
    """(H, W, 3), near is white. Seen from straight above, flat ground is one grey, and a paper's tooth hardly shows."""
    seen = _seen(stage)
    _, vy, vz = stage.view_direction
    near = seen.Y * np.float32(vy) + seen.Z * np.float32(vz)
    middle, span = float(near.min() + near.max()) / 2, max(float(np.ptp(near)), LEAST_SPAN)
    share = (1 + FLOOR) / 2 + (1 - FLOOR) * (near - np.float32(middle)) / np.float32(span)
    return _grey(stage.enlarge(f32(share)))


def normal(stage: Stage) -> U8:
    """(H, W, 3): the surface's normals in the camera's axes."""
    seen = _seen(stage)
    _, vy, vz = stage.view_direction
    up = seen.ny * np.float32(vz) - seen.nz * np.float32(vy)
    front = seen.ny * np.float32(vy) + seen.nz * np.float32(vz)
    axes = stage.enlarge(f32(np.stack([-seen.nx, up, front], axis=-1)))
    encoded: U8 = np.rint(np.clip(axes * 0.5 + 0.5, 0, 1) * 255).astype(np.uint8)
    return encoded


def edges(scene: Scene) -> U8:
    """(H, W, 3): outlines of the ordinary set, white on black."""
    rgb = np.add.reduce(list(scene.groups.values()))
    light = f32(srgb_from_linear(np.clip(luminance(f32(rgb)), 0, 1)))
    low, high = (float(np.percentile(light, share)) for share in (1, 99))
    gain = min(1 / max(high - low, 1e-3), MOST_CONTRAST)  # soft sets have edges, too; grain is none
    grey = _grey(
        f32(
            cv2.GaussianBlur(light - np.float32(low), (0, 0), EDGE_BLUR * min(light.shape)) * np.float32(gain)
        )
    )[..., 0]
    return np.repeat(cv2.Canny(grey, *CANNY)[..., None], 3, axis=2)


def control_picture(kind: Kind, stage: Stage, scene: Scene | None) -> U8:
    """What the ControlNet of that kind is shown. scene: the ordinary set, for edges."""
    if kind == "edges":
        if scene is None:
            raise ValueError("edges are those of a scene")
        return edges(scene)
    return depth(stage) if kind == "depth" else normal(stage)


def _seen(stage: Stage) -> Seen:
    """What the camera sees."""
    X, Y = stage.plane()
    none = np.zeros_like(X)
    if stage.surface.plate and stage.surface.material != "marble":
        with suppress(Unusable):
            shape = plate_shape(stage)
            # The point seen is the ground's, moved towards the camera as far as it rises.
            return Seen(
                X,
                f32(Y - shape.Z * stage.cos_e / stage.sin_e),
                shape.Z,
                shape.nx,
                shape.ny,
                shape.nz,
                none,
                none,
            )
    if stage.surface.material == "velvet":
        raster = raster_for(stage, TALLEST * stage.surface.relief)
        return see(stage, raster, LAID[stage.surface.pattern](stage, raster))
    if stage.surface.material == "minimal":
        raster = raster_for(stage, HIGHEST)
        return see(stage, raster, f32(np.add(*cove(stage, raster.X, raster.Y))))
    return Seen(X, Y, none, none, none, np.ones_like(X), none, none)


def _grey(share: F32) -> U8:
    grey = np.rint(np.clip(share, 0, 1) * 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)
