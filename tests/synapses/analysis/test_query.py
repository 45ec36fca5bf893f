import time

import anndata
import numpy as np
import pandas as pd
import pytest

from neurotome.core import UnknownNameError
from neurotome.synapses.analysis import SynapseIndex


def test_the_nearest_are_those_of_a_full_search(grouped):
    table, _ = grouped
    index = SynapseIndex.of(table)
    key = str(table.obs_names[7])
    found = index.nearest(key)
    values = table.obsm["X_scaled"]
    away = np.linalg.norm(values - values[7], axis=1)
    expected = [at for at in np.lexsort((np.arange(len(away)), away)) if at != 7][:20]
    assert found["key"].tolist() == [str(table.obs_names[at]) for at in expected]
    np.testing.assert_allclose(found["distance"], away[expected])
    assert found["cluster"].astype(str).tolist() == table.obs["cluster"].astype(str).iloc[expected].tolist()
    assert len(index.nearest(key, 500)) == 89
    assert index.nearest_to(values[7], 3)["key"].iloc[0] == key
    with pytest.raises(UnknownNameError, match="Unknown synapse 'study/v1/x'"):
        index.nearest("study/v1/x")


@pytest.mark.exhaustive
def test_a_hundred_thousand_synapses_answer_at_once():
    values = np.random.default_rng(0).standard_normal((100_000, 192)).astype(np.float32)
    table = anndata.AnnData(obs=pd.DataFrame(index=[f"d/v/{at}" for at in range(100_000)]))
    table.obsm["X_scaled"] = values
    index = SynapseIndex.of(table)
    index.nearest("d/v/0")
    times = []
    for at in range(20):
        start = time.perf_counter()
        index.nearest(f"d/v/{997 * at}")
        times.append(time.perf_counter() - start)
    assert np.median(times) < 0.05
