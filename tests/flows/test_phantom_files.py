"""The files of a fluorescence phantom, and what may be asked of each kind of phantom."""

import csv

import numpy as np
import pytest

from neurotome.core import InputError, UnknownNameError
from neurotome.datasets.fluorescence import FluorescenceSpec, fluorescence
from neurotome.flows import phantom_spec, write_phantom
from neurotome.io import open_image, open_labels
from neurotome.io.swc import read_swc

SPEC = FluorescenceSpec(shape=(16, 64, 64), voxel_nm=(900, 300, 300), seed=4, neighbours=2)


def test_image_mask_trees_and_radii_are_those_of_the_phantom(tmp_path):
    made = fluorescence(SPEC)
    paths = write_phantom(SPEC, tmp_path)
    assert [p.name for p in paths] == ["image.ome.tif", "mask.ome.tif", "truth.swc", "neighbours.swc", "radii.csv"]
    image = open_image(paths[0])
    assert image.grid.voxel_nm == (900, 300, 300)
    assert np.array_equal(image.read(), made.image.data)
    assert np.array_equal(open_labels(paths[1]).read(), made.mask.data)
    for path, trees in ((paths[2], [made.skeleton]), (paths[3], made.neighbours)):
        stored = read_swc(path).skeleton
        np.testing.assert_allclose(stored.points_nm, np.concatenate([t.points_nm for t in trees]), atol=0.51)
        assert len(stored.roots) == sum(len(t.roots) for t in trees)
    rows = list(csv.DictReader(paths[4].read_text().splitlines()))
    assert [int(r["node"]) for r in rows] == made.skeleton.ids.tolist()
    np.testing.assert_allclose([float(r["radius_nm"]) for r in rows], made.skeleton.radii_nm, atol=0.06)


def test_neighbours_of_an_earlier_phantom_do_not_stay(tmp_path):
    write_phantom(SPEC, tmp_path)
    alone = FluorescenceSpec(shape=(16, 64, 64), neighbours=0)
    assert len(write_phantom(alone, tmp_path, overwrite=True)) == 4
    assert not (tmp_path / "neighbours.swc").exists()


def test_a_spec_is_made_of_what_its_kind_knows(tmp_path):
    write_phantom(SPEC, tmp_path)
    spec = phantom_spec("fluorescence", seed=3, snr=4.0, source=tmp_path / "truth.swc")
    assert (spec.snr, spec.seed, spec.source.name) == (4.0, 3, "truth")
    assert phantom_spec("em", seed=3).shape == (64, 512, 512)
    with pytest.raises(UnknownNameError, match="em, fluorescence"):
        phantom_spec("light")
    with pytest.raises(InputError, match="--kind em with snr"):
        phantom_spec("em", snr=3)
