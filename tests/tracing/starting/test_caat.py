"""CAAT's rules: the table of jumps, and when its threshold cannot be used."""

import numpy as np
import pytest

from neurotome.tracing.starting.caat import LEAST_SCORE, caat_levels, jump_score, line_between

DIM = {1: 1, 2: 1, 3: 1, 4: 1, 5: 1, 6: 0.717, 7: 0.513, 8: 0.368}
EMPTY = {1: 1, 2: 0.717, 3: 0.607, 4: 0.549, 5: 0.513, 6: 0.351, 7: 0.243, 8: 0.169}


@pytest.mark.parametrize(("gap", "table"), [(1, DIM), (0, EMPTY)])
def test_the_table_of_jump_scores(gap, table):
    for distance, expected in table.items():
        line = np.array([200] + [gap] * (distance - 1) + [200])
        assert jump_score(distance, line, other_component=True) == pytest.approx(expected, abs=5e-4)


def test_empty_gaps_are_jumped_up_to_five_and_dim_ones_up_to_seven():
    def jumps(distance, gap):
        line = np.array([200] + [gap] * (distance - 1) + [200])
        return jump_score(distance, line, other_component=True) >= LEAST_SCORE

    assert [d for d in range(1, 9) if jumps(d, 0)] == [1, 2, 3, 4, 5]
    assert [d for d in range(1, 9) if jumps(d, 3)] == [1, 2, 3, 4, 5, 6, 7]


def test_no_jump_within_a_component():
    assert jump_score(1, np.array([255, 255]), other_component=False) == 0


def test_threshold_is_three_times_the_value_above_seventy_percent():
    counts = np.zeros(256, np.int64)
    counts[0], counts[200] = 10**6, 500
    counts[[10, 20, 30, 40]] = 40, 29, 1, 30
    assert caat_levels(counts) == (93, 20)


@pytest.mark.parametrize(("value", "threshold"), [(83, 252), (84, 255), (85, 258)])
def test_threshold_above_255_when_values_are_high(value, threshold):
    counts = np.zeros(256, np.int64)
    counts[value] = 100
    assert caat_levels(counts)[0] == threshold


def test_lines_have_one_voxel_per_step_of_the_longest_axis():
    line = line_between((0, 0, 0), (2, -7, 3))
    assert len(line) == 8
    assert line[0].tolist() == [0, 0, 0]
    assert line[-1].tolist() == [2, -7, 3]
    assert np.abs(np.diff(line, axis=0)).max() == 1
