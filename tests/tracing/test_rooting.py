"""Trees seen from another root."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurotome.core import ROOT, InputError, Skeleton
from neurotome.tracing.rooting import rerooted


def random_forest(random_state, nodes=30):
    rng = np.random.default_rng(random_state)
    parents = [ROOT] + [ROOT if rng.random() < 0.1 else int(rng.integers(0, i)) for i in range(1, nodes)]
    features = {
        "jump": rng.random(nodes) < 0.2,
        "confidence": rng.random(nodes),
        "gap_nm": rng.random(nodes),
        "scoop_nm": rng.random(nodes),
    }
    features["jump"] &= np.array(parents) != ROOT
    features["confidence"][np.array(parents) == ROOT] = 1
    features["gap_nm"][np.array(parents) == ROOT] = 0
    return Skeleton.of(parents, rng.normal(size=(nodes, 3)), rng.random(nodes), features=features)


def edges(tree):
    """What is known of each edge, by its two ids."""
    rows = np.flatnonzero(tree.parents != ROOT)
    values = zip(*(tree.features[key][rows].tolist() for key in ("jump", "confidence", "gap_nm")))
    return {frozenset(pair): value for pair, value in zip(zip(tree.ids[rows].tolist(), tree.parents[rows].tolist()), values)}


def nodes(tree):
    return {
        i: (*p, r, s)
        for i, p, r, s in zip(tree.ids.tolist(), tree.points_nm.tolist(), tree.radii_nm.tolist(), tree.features["scoop_nm"])
    }


@given(st.integers(0, 10**6), st.integers(0, 29))
def test_nodes_and_edges_stay_and_only_the_root_changes(random_state, row):
    tree = random_forest(random_state)
    turned = rerooted(tree, row)
    assert nodes(turned) == nodes(tree)
    assert edges(turned) == edges(tree)
    old_root = tree.ids[tree.roots[tree.trees[row]]]
    assert set(turned.ids[turned.roots]) == set(tree.ids[tree.roots]) - {old_root} | {tree.ids[row]}
    back = rerooted(turned, int(turned.rows_of([old_root])[0]))
    assert dict(zip(back.ids.tolist(), back.parents.tolist())) == dict(zip(tree.ids.tolist(), tree.parents.tolist()))


def test_a_bridge_turns_with_its_edge():
    line = Skeleton.of(
        [-1, 0, 1, 2],
        [[0.0, 0, x] for x in range(4)],
        features={"jump": np.array([False, False, True, False]), "confidence": np.array([1, 1, 0.5, 1])},
    )
    turned = rerooted(line, 3)
    assert turned.ids.tolist() == [4, 3, 2, 1]
    assert turned.features["jump"].tolist() == [False, False, True, False]
    assert turned.features["confidence"].tolist() == [1, 1, 0.5, 1]


def test_the_root_itself_changes_nothing():
    tree = random_forest(4)
    assert rerooted(tree, 0).parents.tolist() == tree.parents.tolist()


@pytest.mark.parametrize("row", [-1, 30])
def test_a_row_that_does_not_exist_is_refused(row):
    with pytest.raises(InputError, match="which has 30 nodes"):
        rerooted(random_forest(0), row)
