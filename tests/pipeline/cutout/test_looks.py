"""Two looks at a photo become one answer."""

import numpy as np

from pipeline.cutout.doubt import doubts
from pipeline.cutout.looks import believed, joined, on_crop, without_paper
from pipeline.cutout.paper import Paper
from pipeline.cutout.trimap import soft_trimap
from pipeline.values import Box


def _disc(radius, size=200, hole=0.0):
    y, x = np.mgrid[0:size, 0:size]
    off = np.hypot(x - size / 2, y - size / 2)
    return ((off < radius) & (off >= hole)).astype(np.float32)


def test_the_first_look_fills_the_blank_middle_of_a_bleached_pearl():
    whole, hollow = _disc(70), _disc(70, hole=40)
    assert (joined(whole, hollow, 2.0) > 0.5).sum() > 0.98 * whole.sum()


def test_a_hole_that_both_looks_see_stays_open_and_so_does_one_too_small_for_the_first():
    ring = _disc(70, hole=40)
    assert (joined(ring, ring, 2.0) == ring).all()
    pierced = _disc(70, hole=3)
    assert (joined(_disc(70), pierced, 2.0) == pierced).all()


def test_the_first_look_does_not_move_the_outline():
    wide, true = _disc(73), _disc(70)
    assert (joined(wide, true, 2.0) == true).all()


def test_a_second_look_that_lost_the_piece_is_not_believed_alone():
    assert (believed(_disc(70), _disc(20)) == _disc(70)).all()
    assert (believed(_disc(70), _disc(60)) == _disc(60)).all()


def test_the_first_look_lies_where_the_crop_is():
    overview = np.zeros((50, 60), np.float32)
    overview[10:20, 30:40] = 1
    crop = on_crop(overview, Box(100, 20, 240, 120), 0.25, (200, 280))
    inside = np.zeros(crop.shape, np.bool_)
    inside[40:120, 40:120] = True
    assert np.abs((crop > 0.5) ^ inside).mean() < 0.02


def test_bare_paper_is_taken_out_of_a_doubtful_answer_and_dust_goes_with_it():
    paper = Paper(np.full((200, 200, 3), 0.8, np.float32), 0.005, 1.0)
    metal = _disc(70, hole=40) > 0
    rgb = np.where(metal[..., None], np.float32(0.3), paper.rgb).astype(np.float32)
    rgb[5:9, 5:9] = 0.3
    answer = np.where(_disc(70) > 0, np.float32(0.85), np.float32(0.0))
    rgb[100:105, 150:155] = paper.rgb[0, 0]  # a glint on the ring
    answer[5:9, 5:9] = 1.0
    clean = without_paper(answer, rgb, paper)
    assert (clean[metal] > 0.5).all()
    assert (clean[_disc(34) > 0] == 0).all()
    assert (clean[:20, :20] == 0).all()


def test_a_certain_answer_is_not_believed_on_bare_paper_between_gold_but_is_within_silver():
    paper = Paper(np.full((200, 200, 3), 0.8, np.float32), 0.005, 1.0)
    metal = _disc(70, hole=40) > 0
    answer = np.where(_disc(70) > 0, np.float32(0.99), np.float32(0.0))
    for colour, kept in (((0.5, 0.3, 0.08), False), ((0.4, 0.4, 0.4), True)):
        rgb = np.where(metal[..., None], np.array(colour, np.float32), paper.rgb).astype(np.float32)
        assert (without_paper(answer, rgb, paper)[_disc(34) > 0] > 0.5).all() == kept


def test_doubts_are_nought_for_a_sure_cut_out_and_grow_with_what_is_unsure():
    sure = _disc(70)
    assert all(value < 0.02 for value in doubts(sure, sure, sure).values())
    half = np.where(_disc(50) > 0, np.float32(0.5), sure)
    figures = doubts(_disc(50), half, sure)
    assert figures["doubt_share"] > 0.3
    assert figures["looks_differ"] > 0.2
    assert figures["matte_moved"] > 0.15


def test_the_band_of_a_soft_matte_follows_its_outline_and_its_doubt_but_keeps_a_seed_in_thin_wires():
    wire = soft_trimap(_disc(70, hole=64))
    core = ~wire.unknown & (_disc(70, hole=64) > 0)
    assert (wire.known[core] == 1).all()
    assert core[100, 162:172].any()
    assert core[28:40, 100].any()
    solid = soft_trimap(_disc(70))
    assert not solid.unknown[100, 100]
    assert solid.unknown[100, 170]
    doubtful = _disc(70)
    doubtful[98:102, 163:168] = 0.6
    assert soft_trimap(doubtful).unknown[100, 165]
