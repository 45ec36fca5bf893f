"""The rows of errors.csv: what is wrong, what it costs, and where to look."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from neurotome.core import Box, Grid, Labels
from neurotome.measure import (
    ERROR_COLUMNS,
    Contingency,
    compare,
    contingency,
    error_table,
    split_merge_errors,
    variation_of_information,
)

ids = arrays(np.uint16, (3, 4, 6), elements=st.integers(0, 3)).filter(lambda a: a.max() > 0)


def errors_of(as_labels, truth, segmentation, **options):
    return error_table(compare(as_labels(segmentation), as_labels(truth), **options))


def test_one_object_cut_into_halves(as_labels, toy):
    table = errors_of(as_labels, *toy["T1"])
    (row,) = table.to_rows()
    assert tuple(row) == ERROR_COLUMNS
    assert row.pop("cost_bits") == pytest.approx(1)
    # Twenty pairs cross between columns 9 and 10; rows 9 and 10 are equally near their middle.
    assert row == {
        "rank": 1,
        "kind": "split",
        "truth_id": 1,
        "segment_id": 2,
        "other_truth_id": 1,
        "other_segment_id": 1,
        "voxels": 200,
        "other_voxels": 200,
        "z": 0,
        "y": 9,
        "x": 10,
        "z_nm": 0.0,
        "y_nm": 54.0,
        "x_nm": 60.0,
        "contact_voxels": 20,
        "link": "",
    }


def test_two_objects_merged(as_labels, toy):
    (row,) = errors_of(as_labels, *toy["T2"])
    assert (row.kind, row.truth_id, row.segment_id, row.other_truth_id, row.other_segment_id) == ("merge", 2, 1, 1, 1)
    assert row.cost_bits == pytest.approx(1)
    assert (row.z, row.y, row.x, row.contact_voxels) == (0, 9, 10, 20)


def test_parts_that_do_not_touch_are_shown_at_the_nearest_voxel(as_labels):
    truth, segmentation = np.zeros((2, 2, 40), int), np.zeros((2, 2, 40), int)
    truth[..., :12] = truth[..., 15:39] = 1
    segmentation[..., :12], segmentation[..., 15:39] = 7, 8
    (row,) = errors_of(as_labels, truth, segmentation)
    assert (row.kind, row.segment_id, row.other_segment_id, row.voxels, row.other_voxels) == ("split", 7, 8, 48, 96)
    assert (row.z, row.y, row.x, row.contact_voxels) == (0, 0, 11, 0)


def test_small_overlaps_are_no_rows_and_the_worst_comes_first(as_labels, toy):
    (row,) = errors_of(as_labels, *toy["T7"])
    assert (row.kind, row.truth_id, row.segment_id, row.voxels, row.x) == ("split", 1, 2, 11, 20)
    comparison = compare(as_labels(toy["T7"][1]), as_labels(toy["T7"][0]))
    table = error_table(comparison, discard=9)
    assert [r.rank for r in table] == [1, 2, 3]
    assert sorted(r.kind for r in table) == ["merge", "split", "split"]
    assert [r.cost_bits for r in table] == sorted((r.cost_bits for r in table), reverse=True)
    worst = error_table(comparison, discard=9, limit=1)
    assert (worst.rows, worst.found) == (table.rows[:1], 3)


def test_places_count_from_the_corner_of_the_volume(as_labels):
    truth, segmentation = np.ones((3, 8, 8), int), np.ones((3, 8, 8), int)
    segmentation[2] = 2
    (row,) = errors_of(as_labels, truth, segmentation, support=Box((1, 4, 4), (3, 8, 8)))
    assert (row.z, row.y, row.x, row.z_nm, row.contact_voxels) == (2, 5, 5, 60.0, 16)


def test_components_and_borders_are_those_of_the_scores(as_labels):
    truth, segmentation = np.ones((1, 12, 30), int), np.ones((1, 12, 30), int)
    truth[..., 10], truth[..., 20:] = 0, 2
    segmentation[..., 5:] = 2
    found = errors_of(as_labels, truth, segmentation, truth_parts="components", border_nm=0.0)
    described = {(r.kind, r.truth_id, r.other_truth_id, r.voxels) for r in found}
    # Component 1 is x 0..8 less its border column 9, component 2 is x 12..18, component 3 is x 21..29.
    assert described == {("split", 1, 1, 48), ("merge", 1, 3, 48), ("merge", 2, 3, 84)}


def test_nothing_wrong_is_an_empty_table(as_labels, toy):
    table = errors_of(as_labels, *toy["T5"])
    assert (len(table), table.found, table.to_rows()) == (0, 0, [])


def relabelled(table: Contingency, row) -> Contingency:
    """The table after the correction that the cost of a row is about."""
    segments = table.segmentation.copy()
    here = (table.truth == row.truth_id) & (table.segmentation == row.segment_id)
    segments[here] = row.other_segment_id if row.kind == "split" else 99
    return Contingency.merge([Contingency(table.truth, segments, table.voxels, table.ignored)])


@given(ids, ids)
@settings(max_examples=40, deadline=None)
def test_cost_is_the_drop_in_variation_of_information(truth, segmentation):
    grid = Grid(truth.shape, (30.0, 6.0, 6.0))
    errors = error_table(compare(Labels(segmentation, grid), Labels(truth, grid)), discard=1)
    table = contingency(truth, segmentation)
    before = variation_of_information(table).sum
    for row in errors:
        after = variation_of_information(relabelled(table, row)).sum
        assert row.cost_bits == pytest.approx(before - after, abs=1e-9)
        assert (truth[row.z, row.y, row.x], segmentation[row.z, row.y, row.x]) == (row.truth_id, row.segment_id)
        assert row.other_voxels >= row.voxels
    counts = split_merge_errors(table, discard=1)
    assert counts.splits == sum(r.kind == "split" for r in errors)
    assert counts.merges == sum(r.kind == "merge" for r in errors)
