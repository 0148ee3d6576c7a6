"""The outline settles without thinning wires or thickening anything."""

import cv2
import numpy as np

from pipeline.cutout.contour import choke


def disk(radius, teeth=0):
    y, x = np.mgrid[0:300, 0:300].astype(np.float32) - 150
    wobble = teeth * np.sign(np.sin(40 * np.arctan2(y, x)))
    return np.clip(radius + wobble - np.hypot(x, y) + 0.5, 0, 1).astype(np.float32)


def test_inside_stays_opaque_and_the_edge_comes_in_by_less_than_two_pixels():
    before = disk(100)
    after = choke(before)
    assert after[150, 150] == 1
    assert (after[before == 0] < 0.02).all()
    lost = np.sqrt((before > 0.5).sum() / np.pi) - np.sqrt((after > 0.5).sum() / np.pi)
    assert 0 < lost < 2


def test_teeth_are_smoothed():
    def roughness(alpha):
        contour = max(
            cv2.findContours((alpha > 0.5).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0],
            key=len,
        )
        return np.std(np.hypot(*(contour.reshape(-1, 2) - 150.0).T))

    assert roughness(choke(disk(100, teeth=1.5))) < 0.6 * roughness(disk(100, teeth=1.5))


def test_a_wire_keeps_its_matte():
    wire = np.zeros((100, 100), np.float32)
    wire[48:52] = 1
    assert np.abs(choke(wire) - wire).max() < 0.05
