import json

import numpy as np
import pandas as pd
import pytest

from neurotome.core import InputError
from neurotome.synapses.analysis import quartile_classes, size_statistics


def _sizes(table):
    rng = np.random.default_rng(1)
    percent = 2 + 2 * (table.obs["cluster"].astype(int) == 0) + 0.3 * rng.standard_normal(table.n_obs)
    return pd.DataFrame({"vesicle_percent_crop": percent}, index=table.obs_names)


def test_clusters_differ_in_what_was_planted(grouped):
    table, _ = grouped
    sizes = _sizes(table)
    found = size_statistics(table, sizes)
    rows = found.table[found.table["size"] == "vesicle_percent_crop"].set_index("cluster")
    members = sizes["vesicle_percent_crop"][(table.obs["cluster"] == "0").to_numpy()]
    assert rows.loc["0", ["count", "mean", "median", "sd", "min", "max"]].tolist() == pytest.approx(
        [30, members.mean(), members.median(), members.std(), members.min(), members.max()]
    )
    assert rows[["Small", "Medium", "Large", "X-Large"]].to_numpy().sum() == 90
    assert rows.loc["0", "X-Large"] == 23
    pairs = found.effects[found.effects["size"] == "vesicle_percent_crop"].set_index(["first", "second"])
    assert pairs.loc[("0", "1"), "d"] > 4
    assert pairs.loc[("0", "1"), "d_low"] < pairs.loc[("0", "1"), "d"] < pairs.loc[("0", "1"), "d_high"]
    assert abs(pairs.loc[("1", "2"), "d"]) < 1
    model = found.models["vesicle_percent_crop"]
    assert model.p < 1e-10
    assert model.terms.set_index("term").loc["1", "estimate"] == pytest.approx(-2, abs=0.3)
    # The area has two sizes by its kinds, and is read from the table itself.
    assert found.kinds["cleft_area_um2"].parts == 2
    assert found.notes == ()
    json.dumps(found.described(), allow_nan=False)


def test_one_volume_one_cluster_and_noise(grouped):
    table, _ = grouped
    sizes = _sizes(table)
    table.obs["volume"] = "v1"
    table.obs["cluster"] = np.where(np.arange(90) < 5, "-1", "0")
    found = size_statistics(table, sizes)
    assert found.effects.empty
    assert any("vesicle_percent_crop: no mixed model (85 rows of 1 labels in 1 batches)" in note for note in found.notes)
    assert found.table["count"].tolist() == [85, 85]
    with pytest.raises(InputError, match="the same synapses"):
        size_statistics(table, sizes.set_axis([f"x{at}" for at in range(90)]))


def test_quartiles_give_four_classes_of_one_size():
    values = np.random.default_rng(0).permutation(100).astype(float)
    names, counts = np.unique(quartile_classes(values), return_counts=True)
    assert dict(zip(names, counts)) == {"Small": 25, "Medium": 25, "Large": 25, "X-Large": 25}
    assert quartile_classes(np.full(3, 2.0)).tolist() == ["Small"] * 3
    assert quartile_classes(np.full(2, np.nan)).tolist() == ["", ""]
