"""Both networks once more, in plain numpy with 64-bit numbers, straight from the papers' figures: what the torch modules must equal."""

from __future__ import annotations

import numpy as np


def conv(x, weight, bias):
    """3x3 over (channels, h, w) with zeros around."""
    wide = np.pad(x, ((0, 0), (1, 1), (1, 1)))
    h, w = x.shape[1:]
    out = np.zeros((weight.shape[0], h, w))
    for dy in range(3):
        for dx in range(3):
            out += np.einsum("oc,chw->ohw", weight[:, :, dy, dx], wide[:, dy : dy + h, dx : dx + w])
    return out + bias[:, None, None]


def leaky(x):
    return np.where(x > 0, x, 0.2 * x)


def doubled(x):
    return x.repeat(2, axis=1).repeat(2, axis=2)


def folded(x, by):
    """Channel c of pixel (by i + di, by j + dj) becomes channel c by^2 + di by + dj of pixel (i, j)."""
    return np.stack([x[c, di::by, dj::by] for c in range(3) for di in range(by) for dj in range(by)])


def unfolded(x, by):
    out = np.zeros((3, x.shape[1] * by, x.shape[2] * by))
    for c in range(3):
        for di in range(by):
            for dj in range(by):
                out[c, di::by, dj::by] = x[c * by * by + di * by + dj]
    return out


def rrdb(weights, picture, fold=1, ups=2):
    """picture: (h, w, 3)."""
    w = {name: np.asarray(tensor, np.float64) for name, tensor in weights.items()}

    def layer(name, x):
        return conv(x, w[f"{name}.weight"], w[f"{name}.bias"])

    x = np.asarray(picture, np.float64).transpose(2, 0, 1)
    x = first = layer("conv_first", folded(x, fold) if fold > 1 else x)
    block = 0
    while f"body.{block}.rdb1.conv1.weight" in w:
        before = x
        for dense in (1, 2, 3):
            seen = [x]
            for n in (1, 2, 3, 4):
                seen.append(leaky(layer(f"body.{block}.rdb{dense}.conv{n}", np.concatenate(seen))))
            x = x + 0.2 * layer(f"body.{block}.rdb{dense}.conv5", np.concatenate(seen))
        x = before + 0.2 * x
        block += 1
    x = first + layer("conv_body", x)
    for up in range(1, ups + 1):
        x = leaky(layer(f"conv_up{up}", doubled(x)))
    return layer("conv_last", leaky(layer("conv_hr", x))).transpose(1, 2, 0)


def compact(weights, picture, scale=4):
    w = {name: np.asarray(tensor, np.float64) for name, tensor in weights.items()}
    given = np.asarray(picture, np.float64).transpose(2, 0, 1)
    x, n = given, 0
    while f"body.{n}.weight" in w:
        weight = w[f"body.{n}.weight"]
        if weight.ndim == 4:
            x = conv(x, weight, w[f"body.{n}.bias"])
        else:
            x = np.where(x > 0, x, weight[:, None, None] * x)
        n += 1
    return (unfolded(x, scale) + given.repeat(scale, axis=1).repeat(scale, axis=2)).transpose(1, 2, 0)
