"""A picture larger than usual shows the photo's own pixels; the matte is the one that was found."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from pipeline.cutout.cut import cut_out
from pipeline.cutout.finer import finer
from pipeline.cutout.network import NetworkSegmenter
from pipeline.photo.crop import linear_crop
from pipeline.photo.decode import decode
from pipeline.render import detail_px
from presets.library import recipe

PHOTO = Path(__file__).parents[3] / "presets" / "samples" / "ring_solitaire.jpg"


def test_the_photos_own_detail_is_shown_inside_the_matte_that_was_found():
    photo = decode(PHOTO)
    coarse = cut_out(photo, NetworkSegmenter(), working_px=300)
    fine = finer(photo, coarse, 900)
    assert fine.scale == min(900 / max(coarse.box.width, coarse.box.height), 1.0)
    inside = cv2.erode((fine.alpha > 0.999).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    own = linear_crop(photo, coarse.box, fine.scale)
    gain = np.median(fine.rgb[inside] / np.maximum(own[inside], 1e-4), axis=0)
    assert np.abs(fine.rgb[inside] - own[inside] * gain).max() < 1e-4
    size = (coarse.alpha.shape[1], coarse.alpha.shape[0])
    assert np.abs(cv2.resize(fine.alpha, size, interpolation=cv2.INTER_AREA) - coarse.alpha).mean() < 0.01
    blurred = cv2.resize(coarse.rgb, (fine.rgb.shape[1], fine.rgb.shape[0]), interpolation=cv2.INTER_CUBIC)
    edges = [np.abs(cv2.Laplacian(one, cv2.CV_32F))[inside].mean() for one in (fine.rgb, blurred)]
    assert edges[0] > 1.5 * edges[1]


def test_nothing_is_made_up_beyond_the_photo():
    photo = decode(PHOTO)
    coarse = cut_out(photo, NetworkSegmenter(), working_px=300)
    largest = finer(photo, coarse, 9000)
    assert largest.alpha.shape == (coarse.box.height, coarse.box.width)
    assert finer(photo, largest, 9000) is largest
    assert finer(photo, coarse, 300) is coarse


def test_only_wider_pictures_ask_for_more():
    usual = detail_px(recipe("velvet-navy-moody"))
    assert detail_px(recipe("velvet-navy-moody", format="story")) == usual
    assert detail_px(recipe("velvet-navy-moody", size_px=(500, 500))) == usual
    assert detail_px(recipe("velvet-navy-moody", size_px=(4096, 4096))) > 3 * usual
    assert detail_px(recipe("velvet-navy-moody", size_px=(4096, 4096), draft=True)) < usual
