"""Maps of a few small crops with a cloud of vesicles each: of networks without training, and of one that sees what is dark."""

import json
from dataclasses import dataclass, replace

import anndata
import numpy as np
import pandas as pd
import pytest
import torch

from neurotome.core import OPERANDS, Crop, CropLook, CropRecipe, InputError, ModelCard, UnknownNameError, ValueRangeError
from neurotome.io.store import kvstore, open_store
from neurotome.nn.vgg3d import VGG3D, VGG3DConfig
from neurotome.synapses.attention import (
    AttentionSettings,
    Explainable,
    Seen,
    TrunkAttention,
    WholeCropAttention,
    explain,
    explanation,
    map_agreement,
    occluded_blocks,
)
from neurotome.synapses.contrastive import CubeSettings, Trunk
from neurotome.synapses.features import FeatureNetwork

SIDE, COUNT, PLACES = 32, 6, [(100 + 7 * k, 50, 60 - k) for k in range(6)]
CLOUD = slice(8, 24), slice(10, 22), slice(4, 14)


@dataclass(frozen=True, eq=False)
class Crops:
    recipe: CropRecipe
    sites: pd.DataFrame
    cut: tuple[Crop, ...]

    def __len__(self):
        return len(self.cut)

    def __getitem__(self, index):
        return self.cut[index]


def one_crop(row, key):
    rng = np.random.default_rng(row)
    where = {name: np.zeros((SIDE,) * 3, bool) for name in OPERANDS}
    where["valid"][:] = True
    where["pre"][:, :, :18] = where["side1"][:, :, :18] = True
    where["post"][:, :, 22:] = where["side2"][:, :, 22:] = True
    where["cleft"][8:24, 8:24, 18:22] = where["all_cleft"][8:24, 8:24, 18:22] = True
    where["vesicles"][CLOUD] = where["all_vesicles"][CLOUD] = True
    image = np.full((SIDE,) * 3, 200.0) + rng.normal(0, 8, (SIDE,) * 3) - 150 * where["vesicles"]
    bits = sum(mask.astype(np.uint32) << np.uint32(bit) for bit, mask in enumerate(where.values()))
    return Crop(key, image.clip(0, 255).astype(np.uint8), bits.astype(np.uint32), OPERANDS, (8.0, 8.0, 8.0), (2.0, 250.0))


@pytest.fixture(scope="module")
def crops():
    keys = [f"phantom/v{1 + k % 2}/{k}" for k in range(COUNT)]
    sites = pd.DataFrame(PLACES, columns=["crop_z", "crop_y", "crop_x"], index=keys)
    sites[[f"voxel_{axis}_nm" for axis in "zyx"]] = 8.0
    sites["pre_id"], sites["pre_side"] = [f"v_{k // 2}" for k in range(COUNT)], 1
    return Crops(CropRecipe(size=SIDE), sites, tuple(one_crop(k, key) for k, key in enumerate(keys)))


@pytest.fixture(scope="module")
def trunk():
    torch.manual_seed(7)
    network = VGG3D(VGG3DConfig(size=16, widths=(4, 8, 8), convs=(1, 1, 1))).eval()
    card = ModelCard("toy", "vgg3d", {}, ("features",), (8.0, 8.0, 8.0), "percentile", (0, 0, 0))
    return Trunk(network, card, CubeSettings(16, SIDE * 8.0, CropLook("clefts | pre")))


@pytest.fixture(scope="module")
def table(crops):
    """Features of the trunk's width: two clusters, far apart along the first of them."""
    values = np.random.default_rng(3).normal(0, 0.1, (COUNT, 8)).astype(np.float32)
    values[::2, 0] += 4
    var = pd.DataFrame({"family": "contrastive"}, index=[f"clr_{k + 1}" for k in range(8)])
    obs = crops.sites.assign(cluster=pd.Categorical(["a" if k % 2 == 0 else "b" for k in range(COUNT)]))
    return anndata.AnnData(values, obs=obs, var=var)


@pytest.fixture(scope="module")
def reference():
    """A whole network, with its classifier, for cubes as large as the crops."""
    torch.manual_seed(1)
    network = VGG3D(VGG3DConfig(size=SIDE, widths=(4, 8), convs=(1, 1), hidden=8, classes=3))
    return FeatureNetwork(network, "classes")


class SeesDark(Explainable):
    """Answers with the mean darkness of the whole crop; its map is the darkness itself. It sees the crop `shift` further on."""

    family, shift = "contrastive", (0, 0, 0)

    def __init__(self):
        network = VGG3D(VGG3DConfig(size=2, widths=(1,), convs=(1,)))
        network.features[0] = torch.nn.Conv3d(1, 1, 1)
        network.features[0].weight.data[:], network.features[0].bias.data[:] = -1.0, 0.5
        super().__init__(network, "dark", CropLook("0"))
        self.classes = 1

    def forward(self, cubes):
        return self.network.features[2](self.network.features[0](cubes)).mean((2, 3, 4))

    def seen(self, crops, row):
        values = crops[row].image.astype(np.float32) / 255
        return Seen(np.roll(values, [-s for s in self.shift], (0, 1, 2)), 0.6, self.shift)

    def randomised(self, seed):
        return self


def stored(path):
    array = open_store({"driver": "zarr3", "kvstore": kvstore(path / "maps")}, open=True)
    return array.read().result(), json.loads((path / "zarr.json").read_text())["attributes"]


@pytest.fixture(scope="module")
def explained(crops, table, trunk, tmp_path_factory):
    path = tmp_path_factory.mktemp("attention") / "attention.zarr"
    return explain(crops, table, trunk, path, AttentionSettings(sites=4)), path


def test_maps_of_a_trunk_are_on_the_grid_of_the_crop(explained):
    found, path = explained
    maps, about = stored(path)
    assert maps.shape == (4, 2, SIDE, SIDE, SIDE) and maps.dtype == np.float32 and maps.min() >= 0
    assert found.layers == ("features.6", "features.10") == tuple(about["layers"])
    assert about["target"] == found.target == "towards its own cluster" and about["model"] == "toy"
    np.testing.assert_allclose(maps.max((2, 3, 4)), about["maxima"], rtol=1e-6)
    assert len(found.empty) == (maps.max((2, 3, 4)) == 0).sum()


def test_synapses_are_taken_evenly_over_clusters(explained, table):
    keys = stored(explained[1])[1]["keys"]
    assert [table.obs.loc[key, "cluster"] for key in keys] == ["a", "b", "a", "b"] and len(set(keys)) == 4


def test_every_map_is_compared_with_every_structure(explained):
    found, _ = explained
    assert len(found.statistics) == 4 * 2 * 4 and set(found.statistics["operand"]) == {"vesicles", "clefts", "pre", "post"}
    assert set(found.summary["n"]) == {4} and found.statistics["auc"].between(0, 1).all()
    assert list(found.occlusion.columns) == ["key", "vesicles", "clefts", "pre", "post"] and len(found.occlusion) == 4
    # Grey hides nothing where all is grey already.
    assert (found.occlusion["post"] == 0).all() and (found.occlusion["vesicles"] != 0).all()


def test_likeness_is_not_explained_of_the_synapse_itself(crops, table, trunk, tmp_path):
    settings = AttentionSettings(sites=COUNT, target=f"like:{crops.sites.index[0]}", layers=(10,), blocks=0)
    found = explain(crops, table, trunk, tmp_path / "like", settings)
    assert set(found.statistics["key"]) == set(crops.sites.index[1:]) and found.target == f"likeness to {crops.sites.index[0]}"
    assert found.sanity.empty


def test_maps_change_with_the_weights(explained, crops, table, trunk, tmp_path):
    found, path = explained
    other = replace(trunk, network=TrunkAttention(trunk).randomised(5).network)
    explain(crops, table, other, tmp_path / "other", AttentionSettings(sites=4, blocks=0))
    first, second = stored(path)[0][:, 0], stored(tmp_path / "other")[0][:, 0]
    assert all(abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 0.99 for a, b in zip(first, second, strict=True) if np.ptp(b))
    assert len(found.sanity) == 8 and found.sanity["random_r"].dropna().abs().max() < 0.99


def test_the_same_twice(explained, crops, table, trunk, tmp_path):
    again = explain(crops, table, trunk, tmp_path / "again", AttentionSettings(sites=4))
    assert np.array_equal(stored(tmp_path / "again")[0], stored(explained[1])[0])
    pd.testing.assert_frame_equal(again.sanity, explained[0].sanity)


@pytest.mark.parametrize("shift", [(0, 0, 0), (3, -2, 1)])
def test_a_map_lies_where_the_structure_is_and_the_region_where_the_crop_is(crops, table, tmp_path, shift):
    network = SeesDark()
    network.shift = shift
    keys = (crops.sites.index[3], crops.sites.index[1])
    settings = AttentionSettings(layers=("features.0",), target="class:0", keys=keys, blocks=0)
    found = explain(crops, table, network, tmp_path / "dark", replace(settings, operands=("vesicles",)))
    assert found.statistics["key"].tolist() == list(keys)
    assert (found.statistics["auc"] > 0.999).all() and (found.statistics["dice"] == 1).all()
    assert found.regions["key"].tolist() == list(keys) and (found.regions["inside_vesicles"] == 1).all()
    middle = np.array([(part.start + part.stop - 1) / 2 for part in CLOUD]) - SIDE // 2
    where = found.regions[["volume_z", "volume_y", "volume_x"]].to_numpy()
    np.testing.assert_allclose(where, [np.array(PLACES[k]) + middle for k in (3, 1)])
    np.testing.assert_allclose(found.regions["z_nm"], where[:, 0] * 8)
    # Half of the way from grey to dark is below 0.5 already: without its vesicles a crop answers 0.
    inside = np.array([np.maximum(0.5 - crops[k].image[CLOUD] / 255, 0).sum() / SIDE**3 for k in (3, 1)])
    np.testing.assert_allclose(found.occlusion["vesicles"], inside, rtol=1e-4)


def test_a_map_in_which_nothing_decides_is_told(crops, table, tmp_path):
    network = SeesDark()
    network.network.features[0].bias.data[:] = -1
    settings = AttentionSettings(sites=1, layers=("features.2",), target="class:0", operands=("pre",))
    found = explain(crops, table, network, tmp_path / "none", settings)
    assert found.empty == (f"{crops.sites.index[0]} features.2",) and found.regions.empty
    assert np.isnan(found.sanity[["occlusion_r", "random_r"]].to_numpy()).all()
    assert found.statistics["auc"].tolist() == [0.5]


def test_classes_of_a_whole_network(crops, table, reference, tmp_path):
    network = WholeCropAttention(reference, CropLook("0"))
    settings = AttentionSettings(sites=2, target="class:2", layers=(4,), blocks=0)
    explain(crops, table, network, tmp_path / "two", settings)
    explain(crops, table, network, tmp_path / "one", replace(settings, target="class:1"))
    (two, about), (one, _) = stored(tmp_path / "two"), stored(tmp_path / "one")
    assert two.shape == (2, 1, SIDE, SIDE, SIDE) and about["target"] == "class 2" and not np.allclose(two, one)
    assert about["keys"] == crops.sites.index[:2].tolist()


def test_features_of_a_layer_of_a_whole_network(crops, table, reference):
    network = WholeCropAttention(reference, CropLook("11"), layer=4)
    rows = table.copy()
    rows.var["family"] = "vgg3d"
    seen = network.seen(crops, 0)
    answers = network(torch.from_numpy(seen.values)[None, None])
    assert answers.shape == (1, 8) and network.classes == 0
    assert explanation("cluster:b", rows, crops, network).of("anything")(answers).shape == (1,)
    with pytest.raises(ValueRangeError, match=r"Layer '6' of classes.*0 to 4"):
        network.layers((6,))


def test_what_is_explained_is_said(crops, table, trunk):
    network = TrunkAttention(trunk)
    answers = torch.from_numpy(table.X.copy())

    def of(wanted, rows=table):
        found = explanation(wanted, rows, crops, network)
        return found.said, found.of(crops.sites.index[0])(answers)

    said, values = of("cluster")
    assert said == "towards its own cluster" and (values[::2] > 0).all() and (values[1::2] < 0).all()
    assert torch.equal(of("cluster:a")[1], values) and torch.allclose(of("cluster:b")[1], -values)
    along = of("direction")[1]
    assert along[::2].min() > along[1::2].max() or along[::2].max() < along[1::2].min()
    assert torch.equal(of("clr_3")[1], answers[:, 2])
    one = table.copy()
    one.obs["cluster"] = "0"
    assert of("cluster", one)[0] == "along the first principal axis of the features"
    key = crops.sites.index[2]
    seen = torch.from_numpy(network.seen(crops, 2).values)[None, None]
    like = explanation(f"like:{key}", table, crops, network)
    assert like.of(crops.sites.index[0])(network(seen)).item() == pytest.approx(1)
    with pytest.raises(InputError, match="to itself"):
        like.of(key)


@pytest.mark.parametrize(
    ("wanted", "error", "told"),
    [
        ("clr_9", UnknownNameError, "clr_8"),
        ("cluster:z", UnknownNameError, "cluster 'z'"),
        ("like:nobody", UnknownNameError, "nobody"),
        ("class:0", InputError, "no classifier"),
    ],
)
def test_what_cannot_be_explained_is_refused(crops, table, trunk, wanted, error, told):
    with pytest.raises(error, match=told):
        explanation(wanted, table, crops, TrunkAttention(trunk))


def test_layers_that_are_none_are_refused(crops, table, trunk, reference):
    network = TrunkAttention(trunk)
    for layer in (12, -1, "features.12"):
        with pytest.raises(ValueRangeError, match=r"of toy.*0 to 11"):
            network.layers((layer,))
    with pytest.raises(UnknownNameError, match="layer"):
        network.layers(("classifier.0",))
    assert list(network.layers((3, "features.5"))) == ["features.3", "features.5"]
    whole = WholeCropAttention(reference, CropLook("0"))
    with pytest.raises(InputError, match="3 classes"):
        explanation("cluster", table, crops, whole)
    with pytest.raises(UnknownNameError, match="class"):
        explanation("class:3", table, crops, whole)
    other = table.copy()
    other.var["family"] = "morphometry"
    with pytest.raises(InputError, match="contrastive"):
        explanation("cluster", other, crops, network)


def test_a_crop_that_shows_nothing_is_refused(crops, trunk):
    sites = crops.sites.assign(pre_side=0)
    with pytest.raises(InputError, match="undetermined_side"):
        TrunkAttention(trunk).seen(replace(crops, sites=sites), 0)


def test_hidden_blocks():
    network = SeesDark()
    cube = torch.ones(1, 1, 16, 16, 16)
    cube[:, :, :4, 4:8, 8:12] = 0
    falls = occluded_blocks(network, cube, lambda answers: answers[:, 0], 4, 0.6)
    assert falls[0, 1, 2] == pytest.approx(0.5 / 64) and np.count_nonzero(falls) == 1
    assert map_agreement(np.kron(falls, np.ones((4, 4, 4))), falls, 4) == pytest.approx(1)
    assert np.isnan(map_agreement(np.zeros((8, 8, 8)), falls, 4))
