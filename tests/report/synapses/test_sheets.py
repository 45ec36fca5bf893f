"""Pictures of all synapses: that frames are where the script looks for them, and how large they may be."""

import base64
import io

import numpy as np
from PIL import Image

from neurotome.core import CropLook
from neurotome.report.synapses.run import SynapseRun
from neurotome.report.synapses.sheets import (
    STEPS,
    _fitting,
    _movie_frames,
    _seen_once,
    grey_frame,
    make_sheets,
    seen,
    structures_frame,
)


def frame_of(sheet, row, frame):
    """As the script cuts it out."""
    with Image.open(io.BytesIO(base64.b64decode(sheet.uris[row].partition(",")[2]))) as picture:
        y, x = sheet.side * (frame // sheet.columns), sheet.side * (frame % sheet.columns)
        return np.asarray(picture.convert("L"), np.float64)[y : y + sheet.side, x : x + sheet.side]


def test_every_frame_of_a_movie_is_its_section(bare):
    run = SynapseRun.open(bare)
    sheets = make_sheets(run)
    (view,) = seen(run, 4, [run.look])
    for frame in (0, 7, 19):
        section = grey_frame(view.values[int(sheets.movie.frames[frame])])
        wanted = np.asarray(Image.fromarray(section).resize((sheets.movie.side,) * 2, Image.Resampling.BILINEAR), np.float64)
        assert np.abs(frame_of(sheets.movie, 4, frame) - wanted).mean() < 4
    assert sheets.movie.frames[sheets.largest[0]] == "16" and sheets.largest[-1] == -1


def test_means_are_of_the_central_cube(bare):
    run = SynapseRun.open(bare)
    sheets = make_sheets(run)
    (view,) = seen(run, 0, [run.look])
    central = view.values[3:28, 3:28, 3:28]
    for axis in range(3):
        assert abs(frame_of(sheets.means, 0, axis).mean() - 255 * central.mean()) < 3


def test_grey_limits_are_fixed():
    assert grey_frame(np.array([[0.0, 0.2, 0.6, 1.0]])).tolist() == [[0, 51, 153, 255]]
    # Dark tissue stays dark, whatever else the section holds.
    assert grey_frame(np.full((2, 2), 0.2)).max() == 51
    assert grey_frame(np.array([[-1.0, 1.0]]), (-1.0, 1.0)).tolist() == [[0, 255]]


def test_what_a_mask_does_not_show_has_no_picture(bare):
    run = SynapseRun.open(bare)
    run.said["look"] = {"mask": "8"}
    assert run.look == CropLook("8")
    sheets = make_sheets(run)
    assert sheets.movie.uris == [None] * 12
    assert all(sheets.slices.uris) and frame_of(sheets.slices, 0, 0).std() < 2


def test_more_synapses_get_smaller_pictures(bare):
    run = SynapseRun.open(bare)
    tried = [_seen_once(run, row) for row in (0, 5)]
    steps = [_fitting(tried, count, 11_000_000, _movie_frames) for count in (12, 10_000, 10**7)]
    places = [STEPS.index(step) for step in steps]
    assert places[0] == 0 and places[2] == len(STEPS) - 1 and places == sorted(places)


def test_structures_have_their_colours(bare):
    crop = SynapseRun.open(bare).crop(0)
    picture = structures_frame(crop, np.full((32, 32), 100, np.uint8), 16).astype(int)
    post, pre, cleft, vesicles = picture[16, 25], picture[1, 1], picture[16, 16], picture[16, 8]
    assert pre[2] > pre[0] and post[0] > post[2] and cleft[0] > cleft[2] and vesicles[1] > vesicles[0]
