"""Classifiers on a table: which numbers, which labels, which animals."""

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from neurotome.core import InputError, UnknownNameError
from neurotome.morphology.classification import classify_table


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    kinds = np.repeat(["a", "b"], 10)
    names = [f"n{k:02d}" for k in range(20)]
    obs = pd.DataFrame({"type": pd.Categorical(kinds), "animal": [f"m{k % 4}" for k in range(20)]}, index=names)
    obs["rare"] = pd.Categorical(["once", *kinds[1:]])
    table = AnnData(rng.normal(size=(20, 3)).astype(np.float32), obs=obs)
    told = rng.normal(size=(20, 2)) + 9 * (kinds == "b")[:, None]
    table.obsm["sholl"] = told.astype(np.float32)
    table.uns["columns"] = {"sholl": np.array(["s0", "s1"], dtype=object)}
    return table


def test_the_set_of_features_decides(table):
    good = classify_table(table, "type", features="sholl", folds=2, quick=True)
    noise = classify_table(table, "type", features="embedding", folds=2, quick=True)
    assert good.mean > 0.95 and noise.mean < 0.8 and good.chance == pytest.approx(0.5)
    assert good.settings.grid == "quick" and good.settings.outer == 2


def test_a_class_with_one_member(table):
    dropped = classify_table(table, "rare", features="sholl", folds=2, quick=True)
    assert len(dropped.task.rows) == 19 and list(dropped.task.names) == ["a", "b"]
    with pytest.raises(InputError, match="once"):
        classify_table(table, "rare", features="sholl", folds=2, quick=True, small="refuse")


def test_what_is_not_there(table):
    for options, said in (
        ({"features": "density"}, "set of features 'density'"),
        ({"by": "kind"}, "column 'kind'"),
        ({"group": "litter"}, "column 'litter'"),
    ):
        with pytest.raises(UnknownNameError, match=said):
            classify_table(table, **{"by": "type", "features": "sholl", "folds": 2, "quick": True, **options})
