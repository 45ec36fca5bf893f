from pathlib import Path

import numpy as np

from neurotome.core import Box, Grid, Probability
from neurotome.report import matching_truth, read_results
from neurotome.report.sections import boundary_section, section_rows, window

CELL = Box((0, 0, 0), (1, 1, 2))


def _probability(**channels: list[int]) -> Probability:
    data = np.array([[[values]] for values in channels.values()], np.uint8)
    names = tuple(c.replace("_", ":", 1).replace("_", ",") for c in channels)
    return Probability(data, Grid((1, 1, 2), (30, 6, 6)), names)


def test_rows_have_a_panel_per_volume(finished_run: Path) -> None:
    rows = section_rows(read_results(finished_run))
    assert [row.z for row in rows] == [1, 4, 6]
    assert [p.name for p in rows[0].panels] == ["EM", "Probability", "Neurons", "Truth"]
    assert rows[0].bar_name == "100 nm" and rows[0].bar_percent == 100 * 100 / (96 * 8)


def test_boundaries_are_dark_whatever_the_channels() -> None:
    near, what = boundary_section(_probability(affinity_0_1_0=[255, 51], affinity_0_0_1=[204, 255]), CELL)
    assert np.allclose(near, [[0.8, 0.2]]) and what == "affinity:0,1,0 and affinity:0,0,1"
    dark, what = boundary_section(_probability(membrane=[255, 0]), CELL)
    assert np.allclose(dark, [[0, 1]]) and what == "1 - membrane"


def test_a_large_section_is_cropped_and_thinned() -> None:
    rows, columns, factor = window(Grid((1, 9000, 700), (30, 6, 6)))
    assert (rows, columns, factor) == (slice(3300, 5700), slice(0, 700), 3)


def test_truth_takes_the_colour_of_its_neuron_once(finished_run: Path) -> None:
    known = matching_truth(read_results(finished_run))
    assert known[1] == 101 and 2 not in known
    assert known[3] == 103 and known[16] == 2**40 + 7
