import json

import anndata
import numpy as np
import pandas as pd
import pytest

from neurotome.cluster import ScalingSettings
from neurotome.core import InputError
from neurotome.synapses.analysis import compare_synapses
from neurotome.synapses.analysis.feature_matrix import rows_of

PLAIN = ScalingSettings("none", clip=None)


def _table(values, keys, prefix="f"):
    var = pd.DataFrame({"family": "vgg3d"}, index=[f"{prefix}{at}" for at in range(values.shape[1])])
    obs = pd.DataFrame({"volume": "v"}, index=keys)
    return anndata.AnnData(values.astype(np.float32), obs, var)


@pytest.fixture
def one():
    rng = np.random.default_rng(0)
    return _table(rng.standard_normal((60, 8)), [f"d/v/{at}" for at in range(60)])


def test_the_same_table_in_another_order_is_the_same(one):
    other = rows_of(one, np.random.default_rng(1).permutation(60)[:50])
    for table in (one, other):
        table.obs["cluster"] = [str(int(name.rsplit("/")[-1]) % 2) for name in table.obs_names]
    found = compare_synapses(one, other, k=5, scaling=PLAIN)
    assert len(found.keys) == 50
    assert found.described() == pytest.approx(
        {"synapses": 50, "mantel": 1, "cka": 1, "rv": 1, "neighbours": 1, "triplets": 1, "rand": 1}
    )
    assert found.scores.columns["r"].to_numpy() == pytest.approx(np.ones(8))
    assert found.arrows["length"].max() < 1e-5
    assert len(found.pairs) == 20
    json.dumps(found.described())


def test_a_turned_table_keeps_its_distances_and_its_map(one):
    turn = np.linalg.qr(np.random.default_rng(2).standard_normal((8, 8)))[0]
    turned = _table(one.X @ turn, one.obs_names, "g")
    found = compare_synapses(one, turned, scaling=PLAIN)
    assert found.scores.mantel == pytest.approx(1, abs=1e-5)
    assert found.scores.cka == pytest.approx(1, abs=1e-5)
    assert found.scores.triplets > 0.999
    assert found.scores.columns.empty
    # The maps are turned onto each other, so no synapse moves.
    assert found.arrows["length"].max() < 1e-3
    assert np.isnan(found.scores.rand)


def test_independent_tables_agree_by_chance_only(one):
    other = _table(np.random.default_rng(3).standard_normal((60, 8)), one.obs_names)
    found = compare_synapses(one, other)
    assert found.scores.triplets == pytest.approx(0.5, abs=0.02)
    assert abs(found.scores.mantel) < 0.1
    assert set(found.pairs["first"]) | set(found.pairs["second"]) <= set(one.obs_names)


def test_tables_without_a_common_key_are_refused_with_examples(one):
    other = rows_of(one, np.arange(60))
    other.obs_names = [f"other/{at}" for at in range(60)]
    with pytest.raises(InputError, match="'d/v/0', 'd/v/1' and 'other/0', 'other/1'"):
        compare_synapses(one, other)
