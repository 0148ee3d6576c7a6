"""The shape of a plate's ground, read off how its lamps light it. Owns the reading; a plate stores no heights.

Photometric stereo (Woodham 1980): the matte answer to a lamp is the cosine between it and the surface, so that of three lamps or
more the normal follows by least squares. What a lamp does not reach carries no weight. Each answer is first held against its own
broad mean, which takes the lamp's falling off, and of the slopes found only what differs from their broad mean is believed: rises
that are wider than that are lost. Heights by the slopes' integral (Frankot & Chellappa 1988).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import cv2
import numpy as np

from pipeline.backdrop.filters import f32, wide_gaussian
from pipeline.backdrop.plate_file import FOLDER, HEADER, NotForThis, read_picture, read_plate, takes
from pipeline.backdrop.stage import STEP, Stage
from pipeline.backdrop.window import Window
from pipeline.values import F32

BROAD = 0.45  # sigma of the mean, units of the piece
UNREACHED = 0.45  # of the ground's own answer: below it a point is taken to lie in shadow
ROUNDS = 3
STEEPEST = 1.2  # slope; beyond it lies noise


@dataclass(frozen=True, slots=True)
class Shape:
    """On the coarse grid, float32 (rows, columns) each. nx, ny, nz: unit normals; Z: height, units of the piece, mean 0."""

    nx: F32
    ny: F32
    nz: F32
    Z: F32


def plate_digest(stage: Stage) -> str:
    """Of all takes of the stage's plate as they are on the disk, hex; "" where it has none."""
    if not stage.surface.plate:
        return ""
    headers = [folder / HEADER for folder in takes(stage.surface.plate, stage.view, FOLDER)]
    whole = b"".join(path.read_bytes() for path in headers if path.is_file())
    return hashlib.sha256(whole).hexdigest()  # a header has its pictures' digests


def plate_shape(stage: Stage) -> Shape:
    """Of the take that the stage would show. Raises `Unusable` when there is none for it."""
    folders = takes(stage.surface.plate, stage.view, FOLDER)
    folder = folders[stage.seed % len(folders)]
    plate = read_plate(folder)
    window = Window.onto(plate.canvas, stage.ground, (stage.width, stage.height))
    lamps = [
        (one, one.light) for one in plate.lamps if one.light and not one.light.gobo and not one.light.cone
    ]
    if len(lamps) < 3:
        raise NotForThis("too few of its lamps are plain ones")
    rows, columns = stage.coarse_shape
    answers, towards = [], []
    for picture, light in lamps:
        pixels = read_picture(folder, picture)
        pane = window.onto_picture(pixels.shape, plate.canvas)
        seen = np.ascontiguousarray(pane.enlarged(pane.cut(pixels[..., 0])))
        body = cv2.resize(f32(seen), (columns, rows), interpolation=cv2.INTER_AREA)
        broad = wide_gaussian(body, BROAD * stage.ground.unit_px / STEP)
        answers.append(body / np.maximum(broad, np.float32(1e-4)))
        towards.append(np.asarray(light.direction, np.float32) / np.float32(light.direction[2]))
    slopes = _slopes(np.stack(answers), np.stack(towards))
    east, north = (f32(one - wide_gaussian(one, BROAD * stage.ground.unit_px / STEP)) for one in slopes)
    nz = f32(1 / np.sqrt(1 + east * east + north * north))
    return Shape(f32(-east * nz), f32(-north * nz), nz, _heights(east, north, stage))


def _slopes(answers: F32, towards: F32) -> tuple[F32, F32]:
    """Rise towards east and north. answers: (lamps, rows, columns), flat ground 1; towards: (lamps, 3), z 1."""
    lamps, rows, columns = answers.shape
    seen, weight = answers.reshape(lamps, -1), np.ones((lamps, rows * columns), np.float32)
    normal = np.zeros((rows * columns, 3), np.float32)
    for _ in range(ROUNDS):
        weight = np.where(seen < UNREACHED, np.float32(0.02), weight)
        matrix = np.einsum("kp,ki,kj->pij", weight, towards, towards) + 1e-3 * np.eye(3, dtype=np.float32)
        normal = np.linalg.solve(matrix, np.einsum("kp,ki->pi", weight * seen, towards)[..., None])[..., 0]
        off = np.abs(seen - (normal @ towards.T).T)
        weight = f32(1 / (1 + (off / 0.15) ** 2))
    slope = np.clip(-normal[:, :2] / np.maximum(normal[:, 2:], 0.2), -STEEPEST, STEEPEST)
    return f32(slope[:, 0].reshape(rows, columns)), f32(slope[:, 1].reshape(rows, columns))


def _heights(east: F32, north: F32, stage: Stage) -> F32:
    """Heights whose slopes are nearest to these; the picture is mirrored at its sides, so that nothing wraps around."""
    step_x, step_y = STEP / stage.ground.unit_px, -STEP / (stage.ground.unit_px * stage.sin_e)
    gx, gy = east * step_x, north * step_y
    gx = np.block([[gx, -gx[:, ::-1]], [gx[::-1], -gx[::-1, ::-1]]])
    gy = np.block([[gy, gy[:, ::-1]], [-gy[::-1], -gy[::-1, ::-1]]])
    u = 2j * np.pi * np.fft.fftfreq(gx.shape[1])[None, :]
    v = 2j * np.pi * np.fft.fftfreq(gx.shape[0])[:, None]
    power = np.abs(u) ** 2 + np.abs(v) ** 2
    power[0, 0] = 1.0
    spectrum = -(u * np.fft.fft2(gx) + v * np.fft.fft2(gy)) / power
    spectrum[0, 0] = 0.0
    Z = np.fft.ifft2(spectrum).real[: east.shape[0], : east.shape[1]]
    return f32(Z - Z.mean())
