"""Drawings on the fine grid of a page: their shape is kept, and they fit."""

import base64

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from neurotome.report.morphology import drawings
from neurotome.report.morphology.drawings import packed


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(*[st.floats(-1, 1, width=16)] * 4), min_size=1, max_size=20))
def test_every_corner_is_within_half_a_step(segments):
    given_ones = np.array(segments)
    found = packed(given_ones, np.array([0, len(segments)]))
    ends = given_ones.reshape(-1, 2)
    low, high = ends.min(0), ends.max(0)
    width = (high - low).max()
    assert found.widths.tolist() == [width] and found.segments.max() <= found.side
    back = (found.segments.reshape(-1, 2) / found.side - 0.5) * (width or 0) + (low + high) / 2
    step = width / found.side
    for corner in given_ones[(given_ones[:, :2] - given_ones[:, 2:]).max(1) > 2 * step][:, :2]:
        assert np.abs(back - corner).max(1).min() <= step / 2 + 1e-9


def test_the_same_stroke_is_drawn_once_and_dots_only_alone():
    stroke, dot = [0.0, 0, 1, 1], [0.5, 0.5, 0.5, 0.5]
    assert packed(np.array([stroke, stroke, dot]), np.array([0, 3])).segments.tolist() == [[0, 0, 800, 800]]
    cloud = packed(np.array([[0.0, 0, 0, 0], [1, 1, 1, 1], [0, 0, 0, 0]]), np.array([0, 3]))
    assert cloud.segments.tolist() == [[0, 0, 0, 0], [800, 800, 800, 800]]


def test_neurons_without_a_drawing_keep_their_place():
    found = packed(np.array([[0.0, 0, 1, 1]]), np.array([0, 0, 1, 1]))
    assert found.offsets.tolist() == [0, 0, 1, 1] and found.widths.tolist() == [0, 1, 0]


def test_too_many_become_coarser_and_then_fewer(monkeypatch, rng):
    monkeypatch.setattr(drawings, "MOST_SEGMENTS", 3000)
    dots = np.tile(rng.uniform(0.001, 0.999, (6000, 2)) * 0.01 + rng.integers(0, 30, (6000, 2)) / 30, 2)
    coarse = packed(dots, np.array([0, 6000]))
    assert coarse.side < 800 and coarse.every == 1 and len(coarse.segments) <= 3000
    strokes = rng.random((6000, 4))
    found = packed(strokes, np.arange(0, 6001, 100))
    assert found.every == 2 and len(found.segments) <= 3000
    assert (np.diff(found.offsets)[::2] > 0).all() and (np.diff(found.offsets)[1::2] == 0).all()


def test_the_page_gets_little_endian_pairs():
    told = packed(np.array([[0.0, 0.0, 1.0, 0.5]]), np.array([0, 1])).to_json()
    assert np.frombuffer(base64.b64decode(told["data"]), "<u2").tolist() == [0, 200, 800, 600]
    assert told["side"] == 800 and told["offsets"] == [0, 1]
