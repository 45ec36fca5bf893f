import anndata
import numpy as np
import pandas as pd
import pytest

from neurotome.cluster import ChoiceSettings
from neurotome.synapses.analysis.clustering import SLOT, Clustering, least_of_a_kind, write_clusters

QUICK = ChoiceSettings(most=5, pairs=3, clouds=19, starts=3)


def _table(odd=1, seed=0):
    """Three clouds of thirty, and some rows that lie far from all and from each other."""
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((90, 4)) + 12 * np.repeat(np.eye(4)[:3], 30, axis=0)
    values = np.concatenate([values, 100 * np.eye(4)[3] * np.arange(1, odd + 1)[:, None]])
    table = anndata.AnnData(obs=pd.DataFrame(index=[f"d/v/{at}" for at in range(len(values))]))
    table.obsm[SLOT] = values
    return table


def test_an_odd_synapse_is_no_kind():
    table = _table()
    found, chosen, aside, notes = write_clusters(table, Clustering(choice=QUICK))
    assert (found.k, chosen.k) == (3, 3)
    assert aside == ["d/v/90"]
    assert notes == ["1 of 91 synapses is unlike all others and was set aside when clusters were chosen: d/v/90"]
    labels = table.obs["cluster"].astype(int).to_numpy()
    assert [len(set(labels[at : at + 30])) for at in (0, 30, 60)] == [1, 1, 1]
    assert np.bincount(labels).tolist() == [31, 30, 30]
    assert table.uns["cluster"]["k"] == 3
    assert table.uns["choice"]["chosen"].sum() == 1
    again = _table()
    write_clusters(again, Clustering(choice=ChoiceSettings(most=5, pairs=3, clouds=19, starts=3, seed=7)))
    assert (again.obs["cluster"] == table.obs["cluster"]).all()


def test_without_odd_synapses_nothing_is_set_aside():
    table = _table(odd=0)
    found, _, aside, notes = write_clusters(table, Clustering("gaussians", choice=QUICK))
    assert (found.k, aside, notes) == (3, [], [])
    assert table.obs["cluster_probability"].between(0.9, 1).all()
    odd = _table(odd=2)
    found, _, aside, _ = write_clusters(odd, Clustering("gaussians", choice=QUICK))
    assert aside == ["d/v/90", "d/v/91"]
    assert odd.obs["cluster_probability"][90:].tolist() == [0, 0]


def test_a_number_that_is_given_is_kept():
    found, chosen, aside, _ = write_clusters(_table(), Clustering(k=4))
    assert (found.k, chosen, aside) == (4, None, [])
    assert np.bincount(found.labels).tolist() == [30, 30, 30, 1]


@pytest.mark.parametrize(("n", "least"), [(20, 3), (300, 3), (301, 4), (1000, 10)])
def test_a_kind_needs_one_in_a_hundred(n, least):
    assert least_of_a_kind(n) == least
