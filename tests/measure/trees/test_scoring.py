import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurotome.core import Skeleton
from neurotome.measure.trees import compare_trees, tree_errors, tree_scores, worst_tree_scores

VOXEL_NM = (1500.0, 300.0, 300.0)
PERFECT = {"higher": 1.0, "lower": 0.0}


def require_perfect(tree):
    comparison = compare_trees(tree, tree, voxel_nm=VOXEL_NM)
    scores = tree_scores(comparison)
    for score in scores:
        if score.metric == "expected_run_length":
            continue
        if score.better in PERFECT:
            assert score.value == pytest.approx(PERFECT[score.better], abs=1e-9), score
    assert {s.metric for s in scores} >= {
        "f1",
        "esa",
        "dsa",
        "pds",
        "ssd",
        "netmets_false_positive",
        "diadem_like",
        "radius_error",
    }
    assert len(tree_errors(comparison)) == 0
    counts = {s.metric: s.value for s in scores if s.metric.startswith(("test_", "gold_"))}
    assert all(
        counts[f"test_{name}"] == counts[f"gold_{name}"] for name in (m.removeprefix("gold_") for m in counts if "gold" in m)
    )


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 120), st.integers(1, 3), st.sampled_from([300.0, 4000.0]))
def test_identical_trees_are_perfect_in_every_metric(seed, nodes, trees, step_nm):
    """Crowded trees too: branch points nearer to each other than the tolerance, several trees, edges without length."""
    rng = np.random.default_rng(seed)
    parents = np.array([rng.integers(max(0, row - 6), row) if row >= trees else -1 for row in range(nodes)])
    points = np.zeros((nodes, 3))
    for row in np.flatnonzero(parents >= 0):
        points[row] = points[parents[row]] + rng.normal(size=3) * step_nm * (rng.random() < 0.95)
    tree = Skeleton.of(parents, points, radii_nm=np.full(nodes, 200.0))
    if tree.length_nm > 0:
        require_perfect(tree)


@pytest.mark.realdata
@pytest.mark.parametrize("neuron", [1, 25, 106])
def test_a_real_neuron_against_itself(bigneuron, neuron):
    require_perfect(bigneuron(f"{neuron}/gold"))


def test_every_metric_in_voxels_and_in_um(line):
    scores = tree_scores(compare_trees(line(0, 50), line(0, 100), voxel_nm=VOXEL_NM))
    units = {}
    for score in scores:
        for unit in ("voxels", "um"):
            if score.convention.split(",")[0].endswith(unit) or f" {unit}" in score.convention:
                units.setdefault(score.metric, set()).add(unit)
    once = {"length_error", "sholl_error"}
    both = {metric for metric, found in units.items() if found == {"voxels", "um"}}
    assert {m for m in units if "rivuletpy" not in m} - once == both
    assert both >= {"precision", "recall", "f1", "esa", "dsa", "pds", "ssd", "dist_max", "hausdorff", "tips_f1", "diadem_like"}
    assert both >= {"critical_nodes_f1", "splits", "omits", "merges", "edge_accuracy", "expected_run_length", "radius_error"}


def test_by_name_the_one_in_voxels_comes_first(line):
    scores = tree_scores(compare_trees(line(0, 100, offset=3), line(0, 100), voxel_nm=(1000, 1500, 1000)))
    assert scores["esa"] == pytest.approx(2)
    assert [s.value for s in scores if s.metric == "esa"] == pytest.approx([2, 2, 3, 3])
    assert [s.unit for s in scores if s.metric == "esa"] == ["voxels", "voxels", "um", "um"]


def test_scores_are_numbers_that_json_knows(line):
    for test in (line(0, 100, offset=50, radius=0.0), line(0, 100)):
        scores = tree_scores(compare_trees(test, line(0, 100), voxel_nm=VOXEL_NM))
        assert all(math.isfinite(score.value) for score in scores)
        json.dumps(scores.to_json(), allow_nan=False)


def test_the_worst_case():
    worst = worst_tree_scores()
    assert (worst["f1"], worst["precision"], worst["recall"], worst["pds"]) == (0, 0, 0, 1)
    assert [s.convention for s in worst if s.metric == "pds"] == ["2 voxels", "2 um"]
