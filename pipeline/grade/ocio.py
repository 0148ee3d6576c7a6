"""The only door to OpenColorIO. Owns the pinned config, looks as ASC CDL and their baking; refuses metering and hue.

A look is: scene-linear Rec.709 → ASC CDL in ACEScct → scene-linear → shoulder → view "Un-tone-mapped" of an sRGB display
(the tone-mapped ACES views bleach bright gold). The whole chain is a function of one colour, so it is baked once per
look into a 3-D table behind a logarithmic shaper; tetrahedral interpolation keeps greys grey, and its cells break where
the shoulder's max(r, g, b) does.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from pipeline.grade.shoulder import roll_off
from pipeline.recipe import Look
from pipeline.values import F32

CONFIG = "cg-config-v2.2.0_aces-v1.3_ocio-v2.4"  # by exact name: "default" changes with the library
_LINEAR, _LOG = "Linear Rec.709 (sRGB)", "ACEScct"
_DISPLAY, _VIEW = "sRGB - Display", "Un-tone-mapped"
_GRID = 57
_BRIGHTEST = (
    16.0  # scene-linear value of the table's last node; more is held there, the shoulder is flat by then
)
# ACEScct's curve (S-2016-001) on Rec.709 primaries serves as the shaper: log2 above the break, a line below.
_CUT, _CUT_SLOPE, _CUT_OFFSET = 0.0078125, 10.5402377416545, 0.0729055341958355
_LOG_SLOPE, _LOG_OFFSET = 1 / 17.52, 9.72 / 17.52


def apply_look(rgb: F32, look: Look) -> F32:
    """Scene-linear (H, W, 3) -> display-encoded sRGB (H, W, 3) in 0..1, through the baked look."""
    graded = np.ascontiguousarray(np.maximum(rgb, 0), dtype=np.float32)
    if graded is rgb:
        graded = graded.copy()
    _baked(look.slope, look.offset, look.power, look.saturation).applyRGB(graded)
    return np.clip(graded, 0, 1, out=graded)


def apply_exactly(rgb: F32, look: Look) -> F32:
    """As `apply_look` without the table: the reference that the table is measured against, several times slower."""
    return np.clip(_chain(np.maximum(rgb, 0), look.slope, look.offset, look.power, look.saturation), 0, 1)


def _chain(rgb: F32, slope: Any, offset: Any, power: Any, saturation: float) -> F32:
    """Encoded values, not clipped: a table interpolates a straight flank better than a clipped one."""
    graded = np.array(rgb, dtype=np.float32, order="C")
    _processor(_cdl(slope, offset, power, saturation)).applyRGB(graded)
    graded = np.ascontiguousarray(roll_off(graded))
    _processor(_view()).applyRGB(graded)
    return graded


@functools.cache
def _door() -> Any:
    import PyOpenColorIO  # noqa: PLC0415 - heavy; only a process that grades pays for it

    return PyOpenColorIO


@functools.cache
def _config() -> Any:
    return _door().Config.CreateFromBuiltinConfig(CONFIG)


def _processor(transform: Any) -> Any:
    ocio = _door()
    exact = ocio.OPTIMIZATION_LOSSLESS
    return (
        _config()
        .getProcessor(transform)
        .getOptimizedCPUProcessor(ocio.BIT_DEPTH_F32, ocio.BIT_DEPTH_F32, exact)
    )


def _cdl(slope: Any, offset: Any, power: Any, saturation: float) -> Any:
    ocio = _door()
    cdl = ocio.CDLTransform(slope=list(slope), offset=list(offset), power=list(power), sat=saturation)
    steps = [ocio.ColorSpaceTransform(_LINEAR, _LOG), cdl, ocio.ColorSpaceTransform(_LOG, _LINEAR)]
    return ocio.GroupTransform(steps)


def _view() -> Any:
    return _door().DisplayViewTransform(_LINEAR, _DISPLAY, _VIEW)


@functools.lru_cache(maxsize=64)
def _baked(slope: Any, offset: Any, power: Any, saturation: float) -> Any:
    """CPU processor of one look: shaper, then the table. About 40 ms to make, once per process and look."""
    ocio = _door()
    top = np.log2(_BRIGHTEST) * _LOG_SLOPE + _LOG_OFFSET
    axis = np.linspace(_CUT_OFFSET, top, _GRID)
    in_log = (axis - _LOG_OFFSET) / _LOG_SLOPE
    values = np.where(axis < _CUT_SLOPE * _CUT + _CUT_OFFSET, (axis - _CUT_OFFSET) / _CUT_SLOPE, 2**in_log)
    # The table's data run fastest along blue.
    nodes = np.stack(np.meshgrid(values, values, values, indexing="ij"), axis=-1).astype(np.float32)
    table = ocio.Lut3DTransform(gridSize=_GRID)
    table.setInterpolation(ocio.INTERP_TETRAHEDRAL)
    table.setData(_chain(nodes.reshape(1, -1, 3), slope, offset, power, saturation).ravel())
    shaper = ocio.LogCameraTransform(
        linSideBreak=[_CUT] * 3, base=2.0, logSideSlope=[_LOG_SLOPE] * 3, logSideOffset=[_LOG_OFFSET] * 3
    )
    unit = ocio.RangeTransform(_CUT_OFFSET, float(top), 0.0, 1.0)
    return _processor(ocio.GroupTransform([shaper, unit, table]))
