"""The rows of objects.csv."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from neurotome.core import Grid, Labels
from neurotome.measure import OBJECT_COLUMNS, compare, object_table, variation_of_information

ids = arrays(np.uint16, (3, 4, 5), elements=st.integers(0, 3)).filter(lambda a: a.max() > 0)


def test_objects_of_two_pieces(as_labels, toy):
    table = object_table(compare(as_labels(toy["T7"][1]), as_labels(toy["T7"][0])))
    rows = table.to_rows()
    assert tuple(rows[0]) == OBJECT_COLUMNS
    found = [(r["kind"], r["id"], r["voxels"], r["parts"], r["largest_part_fraction"]) for r in rows]
    # Overlaps 20, 11 (truth 1) and 10, 19 (truth 2); one of exactly 10 voxels is no part.
    assert found == [
        ("truth", 1, 31, 2, 20 / 31),
        ("truth", 2, 29, 1, 19 / 29),
        ("segment", 1, 30, 1, 20 / 30),
        ("segment", 2, 11, 1, 1.0),
        ("segment", 3, 19, 1, 1.0),
    ]


def test_truth_predicted_0_has_no_part(as_labels, toy):
    rows = object_table(compare(as_labels(toy["T6"][1]), as_labels(toy["T6"][0]))).to_rows()
    assert {(r["parts"], r["largest_part_fraction"]) for r in rows if r["kind"] == "truth"} == {(0, 0.0)}
    (segment,) = [r for r in rows if r["kind"] == "segment"]
    assert (segment["id"], segment["voxels"], segment["voi_merge_bits"]) == (0, 400, pytest.approx(3.3219281, abs=1e-6))


def test_who_touches_the_border(as_labels):
    volume = np.ones((5, 5, 5), int)
    volume[1:4, 1:4, 1:4] = 2
    faces = [(0, 2, 2), (4, 2, 2), (2, 0, 2), (2, 4, 2), (2, 2, 0), (2, 2, 4)]
    for label, voxel in enumerate(faces, start=3):
        volume[voxel] = label
    rows = object_table(compare(as_labels(volume), as_labels(volume))).to_rows()
    assert {r["id"] for r in rows if not r["touches_border"]} == {2}
    assert len(rows) == 16


def test_components_keep_the_label_they_came_from(as_labels):
    truth = np.array([[[9, 9, 0, 9, 4]]])
    rows = object_table(compare(as_labels(truth), as_labels(truth), truth_parts="components")).to_rows()
    assert [(r["id"], r["label"]) for r in rows if r["kind"] == "truth"] == [(1, 9), (2, 9), (3, 4)]
    assert [(r["id"], r["label"]) for r in rows if r["kind"] == "segment"] == [(4, 4), (9, 9)]


@given(ids, ids)
@settings(max_examples=40, deadline=None)
def test_shares_sum_to_the_totals(truth, segmentation):
    grid = Grid(truth.shape, (30.0, 6.0, 6.0))
    comparison = compare(Labels(segmentation, grid), Labels(truth, grid))
    voi = variation_of_information(comparison.table)
    for kind in ("truth", "segment"):
        rows = [r for r in object_table(comparison) if r.kind == kind]
        assert sum(r.voi_split_bits for r in rows) == pytest.approx(voi.split, abs=1e-9)
        assert sum(r.voi_merge_bits for r in rows) == pytest.approx(voi.merge, abs=1e-9)
        assert sum(r.voxels for r in rows) == int((truth > 0).sum())
