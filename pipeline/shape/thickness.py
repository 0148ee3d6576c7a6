"""How thick the piece is, from its outline alone: tubes and domes around the medial axis."""

from __future__ import annotations

import cv2
import numpy as np

from pipeline.values import F32, Mask


def distance_inside(piece: Mask) -> F32:
    """Euclidean distance (px) of each piece pixel to the nearest non-piece pixel; outside the frame counts as piece.

    OpenCV's last bit depends on the number of threads. Squared distances on a grid are whole numbers, so rounding the
    square takes that away.
    """
    distance = cv2.distanceTransform(piece.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    exact: F32 = np.sqrt(np.rint(np.square(distance, dtype=np.float64))).astype(np.float32)
    return exact


def local_radius(piece: Mask) -> F32:
    """Radius (px) of the nearest medial-axis point: half the local width of a chain, band or stone. 0 outside."""
    distance = distance_inside(piece)
    if not piece.any() or piece.all():
        return distance
    ridge = (distance >= cv2.dilate(distance, np.ones((3, 3), np.uint8))) & piece
    _, labels = cv2.distanceTransformWithLabels(
        (~ridge).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    table = np.zeros(int(labels.max()) + 1, np.float32)
    table[labels[ridge]] = distance[ridge]
    return np.where(piece, table[labels], np.float32(0))


def thickness(piece: Mask) -> F32:
    """Depth (px) under the tubular assumption, t = 2 sqrt(r^2 - (r - d)^2), d distance inside, r the local radius."""
    radius = local_radius(piece)
    gap = np.clip(radius - distance_inside(piece), 0, None)
    depth: F32 = 2 * np.sqrt(np.clip(np.square(radius) - np.square(gap), 0, None))
    return depth
