import re
import xml.etree.ElementTree as ElementTree

import pytest

from neurotome.report.charts import Curve, bar_chart, histogram, line_chart, log_histogram


def _tips(svg: str) -> list[str]:
    return [e.text or "" for e in ElementTree.fromstring(svg).iter() if e.tag.endswith("title")]


def test_log_histogram_counts_every_positive_value_once() -> None:
    svg = log_histogram([1, 1, 5, 90, 0], "x", "y", "t", bins_per_decade=1)
    assert _tips(svg) == ["1 to 10: 3", "10 to 100: 1"]


def test_a_single_value_has_a_bar() -> None:
    assert [t for t in _tips(log_histogram([10.0], "x", "y", "t")) if t.endswith(": 1")] != []
    assert log_histogram([], "x", "y", "t") == "" and log_histogram([0], "x", "y", "t") == ""


def test_bar_chart_counts_whole_numbers() -> None:
    assert _tips(bar_chart([1, 1, 3], "x", "y", "t")) == ["1: 2", "2: 0", "3: 1"]
    assert sum(int(t.split(": ")[1]) for t in _tips(bar_chart(list(range(1, 101)), "x", "y", "t"))) == 100


def test_line_chart_draws_points_inside_the_frame_and_the_mark() -> None:
    svg = line_chart([Curve("a", [0.1, 0.9], [0.0, 0.5])], "x", "y", "t", marked_x=0.5)
    points = [float(v) for v in re.findall(r"[\d.]+", re.search(r'points="([^"]+)"', svg)[1])]
    assert points == [52.0, 204.0, 548.0, 14.0]
    assert "used: 0.5" in svg
    assert "used" not in line_chart([Curve("a", [0.1, 0.9], [0.0, 0.5])], "x", "y", "t", marked_x=2.0)


def test_histogram_stacks_what_was_counted_before() -> None:
    svg = histogram([0.4, 0.5, 0.6], {"inside": [1, 3], "outside": [3, 1]}, "p", "voxels", "P", 0.45, mark="threshold")
    heights = [float(h) for h in re.findall(r'class="bar bar-\d"[^>]* height="([\d.]+)"', svg)]
    assert heights[0] * 3 == pytest.approx(heights[1], rel=0.01) and heights[0] + heights[2] == pytest.approx(
        heights[1] + heights[3]
    )
    assert "0.4 to 0.5: 3 outside" in svg and "threshold: 0.45" in svg
    assert histogram([], {}, "p", "voxels", "P") == ""
