"""What two segmenters do not agree on is settled by the photo; what they agree on stays."""

import cv2
import numpy as np
import pytest

from pipeline.color import srgb_from_linear
from pipeline.cutout.opinions import settled
from pipeline.cutout.paper import Paper

GOLD = np.array([0.75, 0.48, 0.16], np.float32)
PAPER = np.array([0.85, 0.85, 0.85], np.float32)
HEIGHT, WIDTH = 320, 400


def ring():
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.circle(mask, (200, 160), 110, 1, 30)
    return mask > 0


def picture(piece):
    rng = np.random.default_rng(4)
    gold = GOLD * (0.7 + 0.3 * rng.random((HEIGHT, WIDTH, 1), dtype=np.float32))
    rgb = np.where(piece[..., None], gold, PAPER)
    return cv2.GaussianBlur(rgb.astype(np.float32), (0, 0), 0.8)


def settle(rgb, second, region, first=None):
    encoded = srgb_from_linear(np.clip(rgb, 0, 1)).astype(np.float32)
    paper = Paper(np.broadcast_to(PAPER, rgb.shape).copy(), 0.004, 0.9)
    return settled(rgb, encoded, paper, (second, second if first is None else first), region)


def soft(mask, inside=0.97, outside=0.02):
    return np.where(mask, inside, outside).astype(np.float32)


def test_gold_that_the_network_was_unsure_of_comes_back():
    piece = ring()
    second = soft(piece)
    lost = piece.copy()
    lost[:, :170] = lost[:, 225:] = False
    lost[90:] = False
    second[lost] = 0.3
    found = settle(picture(piece), second, piece).matte
    assert (second[lost] < 0.5).all()
    assert (found[cv2.erode(lost.astype(np.uint8), np.ones((5, 5))) > 0] > 0.5).mean() > 0.98


def test_bare_paper_that_the_network_took_for_gold_goes():
    piece = ring()
    second = soft(piece)
    gap = np.zeros_like(piece)
    gap[130:160, 75:105] = True  # within the band of the ring
    truth = piece & ~gap
    second[gap] = 0.8
    found = settle(picture(truth), second, truth).matte
    core = cv2.erode(gap.astype(np.uint8), np.ones((7, 7))) > 0
    assert (found[core] < 0.5).all()
    assert (found[truth & ~(cv2.dilate(gap.astype(np.uint8), np.ones((9, 9))) > 0)] > 0.5).mean() > 0.99


def test_a_bright_facet_within_the_piece_stays():
    piece = ring()
    rgb = picture(piece)
    facet = np.zeros_like(piece)
    facet[150:156, 86:92] = True
    rgb[facet] = PAPER
    second = soft(piece)
    second[facet] = 0.7
    found = settle(rgb, second, piece).matte
    assert (found[facet] > 0.5).all()


def test_paper_between_both_s_piece_and_the_ground_goes():
    piece = ring()
    second = soft(piece)
    corner = np.zeros_like(piece)
    corner[150:170, 296:312] = True  # open to the ground outside
    truth = piece & ~corner
    second[corner] = 0.8
    found = settle(picture(truth), second, piece).matte
    core = cv2.erode(corner.astype(np.uint8), np.ones((5, 5))) > 0
    assert (found[core] < 0.5).mean() > 0.95


@pytest.mark.parametrize("kept", [0.5, 0.7])
def test_without_agreement_the_network_is_believed(kept):
    piece = ring()
    half = piece.copy()
    half[:, int(WIDTH * kept) :] = False
    second = soft(piece, inside=0.8)
    answer = settle(picture(piece), second, half)
    np.testing.assert_array_equal(answer.matte, second)
    assert answer.faint_share == 0


def test_a_quarrel_about_what_is_hardly_seen_is_counted():
    piece = ring()
    rgb = picture(piece)
    pale = piece.copy()
    pale[:, :200] = False
    pale[:140] = pale[190:] = False
    rgb[pale] = PAPER * 0.94
    second = soft(piece)
    second[pale] = 0.4
    clear = settle(picture(piece), soft(piece), piece).faint_share
    assert settle(rgb, second, piece).faint_share > clear + 0.05
