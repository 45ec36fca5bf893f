from dataclasses import replace

import numpy as np
import pytest

from neurotome.core import InputError, PointCloud, Skeleton, UnknownNameError
from neurotome.datasets import data_root
from neurotome.morphology.descriptors import DESCRIPTORS, DescriptorSettings, describe, morphometrics


def test_tables_in_the_order_of_names(grown, y_tree, line, node):
    found = describe([y_tree, node, grown(1), line, grown(2, 50, 2)])
    assert list(found) == list(DESCRIPTORS) == ["morphometrics", "persistence", "sholl", "density"]
    for name, table in found.items():
        assert table.index.tolist() == ["grown1", "grown2", "line", "node", "y"]
        assert table.columns.tolist() == list(DESCRIPTORS[name].columns(DescriptorSettings()))
        assert np.isfinite(table.to_numpy()).all() and table.columns.is_unique
    again = describe([grown(1), line, y_tree, grown(2, 50, 2), node])
    assert all(again[name].equals(table) for name, table in found.items())


def test_logarithms_are_said_and_can_be_left_out(y_tree):
    plain = describe([y_tree], ["morphometrics"], settings=DescriptorSettings(log_morphometrics=False))["morphometrics"]
    assert plain.loc["y"].to_dict() == morphometrics(y_tree)
    logged = describe([y_tree], ["morphometrics"])["morphometrics"]
    assert logged.loc["y", "log_cable_um"] == pytest.approx(np.log(55)) and logged.loc["y", "strahler"] == 2


def test_shapes_without_a_tree_have_density_only(y_tree):
    cloud = PointCloud(np.random.default_rng(0).normal(size=(100, 3)) * 1e4, name="cloud")
    assert list(describe([cloud, y_tree])) == ["density"]
    with pytest.raises(InputError, match=r"'sholl' of 'cloud', a PointCloud.*a skeleton.*ask for density"):
        describe([cloud, y_tree], ["density", "sholl"])


def test_no_shapes_at_all():
    assert {name: table.shape[0] for name, table in describe([]).items()} == dict.fromkeys(DESCRIPTORS, 0)


def test_what_cannot_be_described(line):
    with pytest.raises(InputError, match="Two shapes are named 'line'"):
        describe([line, line])
    with pytest.raises(UnknownNameError, match="did you mean 'sholl'"):
        describe([line], ["shol"])
    empty = Skeleton.of([], np.zeros((0, 3)), name="empty")
    with pytest.raises(InputError, match="'empty' has no node"):
        describe([empty])


def test_progress_is_told(line, node):
    told = []
    describe([line, node], ["sholl"], progress=told.append)
    assert told == [1, 2]


@pytest.mark.realdata
def test_real_neurons_have_finite_tables_and_types_differ():
    archive = data_root() / "swc" / "rat_cortex.zip"
    if not archive.is_file():
        pytest.skip(f"no {archive} (set NEUROTOME_DATA)")
    from neurotome.datasets.swc_collection import swc_collection

    rats = swc_collection(archive, unit="um")
    skeletons = [replace(rats.load(name), name=name) for name in rats.names[:6]]
    for table in describe(skeletons).values():
        assert np.isfinite(table.to_numpy()).all()
        assert len(np.unique(table.to_numpy(), axis=0)) == 6
