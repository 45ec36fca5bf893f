"""A table of synapses of three kinds in three volumes, as the steps before would write it."""

import anndata
import numpy as np
import pandas as pd
import pytest

MEASURES = (
    ("cleft_area_um2", "log"),
    ("cleft_holes", "none"),
    ("vesicle_volume_um3", "log"),
    ("mito_within_300nm", "none"),
    ("cleft_curvature", "none"),
    ("post_density", "none"),
    ("vesicle_count", "none"),
    ("cleft_volume_um3", "log"),
)
FAR_NM = 100_000.0


def _synapses(per_kind=30, kinds=3, volumes=("v1", "v2", "v3"), shift=0.0, seed=0):
    rng = np.random.default_rng(seed)
    n = per_kind * kinds
    kind = np.tile(np.arange(kinds), per_kind)
    volume = np.array(volumes)[np.arange(n) // kinds % len(volumes)]
    large, perforated, mito = kind == 0, kind == 1, kind == 2
    area = np.exp(-2 + 1.6 * large + 0.15 * rng.standard_normal(n))
    columns = [
        area,
        perforated * 1.0 + (rng.random(n) < 0.05),
        np.exp(-4 + 1.2 * large + 0.2 * rng.standard_normal(n)),
        mito * 1.0,
        1.1 + 0.3 * perforated + 0.05 * rng.standard_normal(n),
        -1 + 0.1 * rng.standard_normal(n) + shift * np.searchsorted(np.array(volumes), volume),
        np.full(n, np.nan),
        0.02 * area * np.exp(0.1 * rng.standard_normal(n)),
    ]
    values = np.stack(columns, axis=1).astype(np.float32)
    values[3, 4] = np.nan
    learned = (np.eye(kinds)[kind] @ rng.standard_normal((kinds, 6)) * 6 + rng.standard_normal((n, 6))).astype(np.float32)
    var = pd.DataFrame(
        {
            "family": ["morphometry"] * (len(MEASURES) + 1) + ["vgg3d"] * 6,
            "transform": [transform for _, transform in MEASURES] + ["none"] * 7,
            "quality": [False] * len(MEASURES) + [True] + [False] * 6,
        },
        index=[name for name, _ in MEASURES] + ["margin"] + [f"vgg3d_{at}" for at in range(6)],
    )
    # A neuron has three synapses, all of one kind, in one volume; neighbours in the table lie far apart.
    owner = pd.Series(range(n)).groupby([volume, kind]).cumcount() // 3
    keys = [f"study/{v}/{at}" for at, v in enumerate(volume)]
    obs = pd.DataFrame(
        {
            "dataset": "study",
            "volume": volume,
            "synapse_id": [str(at) for at in range(n)],
            "kind": [f"kind {one}" for one in kind],
            "pre_id": [f"{v}_{100 * one + o}" for v, one, o in zip(volume, kind, owner)],
            "post_id": [f"{v}_{900 + at % 4}" if at % 5 else "" for at, v in enumerate(volume)],
        },
        index=keys,
    )
    for axis in "zyx":
        obs[f"center_{axis}"] = obs[f"crop_{axis}"] = (rng.permutation(n) * 200).astype(np.int64)
        obs[f"voxel_{axis}_nm"] = 8.0
    quality = rng.random((n, 1)).astype(np.float32)
    return anndata.AnnData(np.concatenate([values, quality, learned], axis=1), obs, var)


@pytest.fixture(scope="session")
def synapses():
    """Makes a table: synapses(per_kind, kinds, volumes, shift, seed)."""
    return _synapses


@pytest.fixture(scope="session")
def _grouped():
    from neurotome.cluster import ChoiceSettings
    from neurotome.synapses.analysis import group_synapses

    table = _synapses()
    choice = ChoiceSettings(most=5, pairs=3, clouds=19, starts=3)
    return table, group_synapses(table, choice=choice, maps=(("pca", 2), ("tsne", 2)))


@pytest.fixture
def grouped(_grouped):
    """A table that was grouped, and what the grouping says."""
    table, found = _grouped
    return table.copy(), found
