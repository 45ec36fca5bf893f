import numpy as np
import pandas as pd
import pytest

from neurotome.core import CropRecipe, InputError, ValueRangeError
from neurotome.datasets.synapse_phantoms import p1, p2
from neurotome.io.feature_table import read_feature_table, write_feature_table
from neurotome.synapses.crops import make_crops
from neurotome.synapses.morphometry import MEASURES, UNMEASURED_COLUMNS, measure_crop, measure_crops


@pytest.fixture(scope="module")
def crops(tmp_path_factory):
    fixtures = [p1(), p2()]
    volumes = {fixture.volume.name: fixture.volume for fixture in fixtures}
    sites = pd.concat([fixture.sites for fixture in fixtures])
    return make_crops(volumes, sites, CropRecipe(centring="site"), tmp_path_factory.mktemp("crops") / "crops.zarr")[0]


@pytest.fixture(scope="module")
def table(crops):
    return measure_crops(crops)


def test_the_table(crops, table):
    assert table.shape == (2, 47)
    assert table.X.dtype == np.float32
    assert list(table.obs_names) == list(crops.sites.index)
    assert list(table.var_names) == [measure.name for measure in MEASURES if not measure.quality]
    assert set(table.var["family"]) == {"morphometry"}
    assert set(table.var["transform"]) == {"none", "log"}
    assert table.var.loc["cleft_area_um2", "unit"] == "um2"
    assert (table.obs["voxel_anisotropy"] == 1).all()
    assert set(crops.sites.columns) < set(table.obs.columns)


def test_its_rows_are_the_crops(crops, table):
    for row, key in enumerate(crops.sites.index):
        found = measure_crop(crops[row])
        assert table[key].X[0] == pytest.approx([found.values[name] for name in table.var_names], rel=1e-6, nan_ok=True)
    assert table["phantom/bbox7/1", "cleft_area_um2"].X.item() == pytest.approx(0.0576)


def test_every_missing_value_has_its_reason(table):
    missing = table.uns["unmeasured"]
    assert tuple(missing.columns) == UNMEASURED_COLUMNS
    assert len(missing) == np.isnan(table.X).sum()
    assert all(np.isnan(table[key, name].X.item()) for key, name in zip(missing["key"], missing["measure"]))


def test_it_can_be_stored(table, tmp_path):
    write_feature_table(tmp_path / "table.h5ad", table)
    again = read_feature_table(tmp_path / "table.h5ad")
    assert np.array_equal(again.X, table.X, equal_nan=True)
    assert again.uns["unmeasured"].to_numpy().tolist() == table.uns["unmeasured"].to_numpy().tolist()


def test_progress_is_told(crops):
    told = []
    measure_crops(crops, progress=lambda *what: told.append(what))
    assert told == [("measures", 1, 2), ("measures", 2, 2)]


def test_more_processes_change_nothing(crops, table):
    assert np.array_equal(measure_crops(crops, workers=2).X, table.X, equal_nan=True)


def test_bad_input(crops):
    with pytest.raises(ValueRangeError, match="0 workers"):
        measure_crops(crops, workers=0)

    class Nothing:
        def __len__(self) -> int:
            return 0

    with pytest.raises(InputError, match="No crops"):
        measure_crops(Nothing())
