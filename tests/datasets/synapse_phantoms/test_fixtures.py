import numpy as np
import pytest

from neurotome.core import UnknownNameError
from neurotome.datasets import synapse_phantoms
from neurotome.io import SITE_TABLE_COLUMNS


def _counts(labels):
    return {int(i): int(n) for i, n in zip(*np.unique(labels, return_counts=True), strict=True) if i}


def test_p1_has_the_counts_of_its_boxes():
    volume = synapse_phantoms.p1().volume
    image = volume.image.read()
    assert image.shape == (120, 140, 160)
    assert int(image.sum(dtype=np.int64)) == 342_995_712
    assert image[60, 65, 83] == 62
    assert volume.neurons.read().dtype == np.uint64
    assert _counts(volume.neurons.read()) == {11: 374_400, 22: 331_200, 33: 192_000}
    assert _counts(volume.organelles.read()) == {1: 3_360 + 1_728, 2: 17_576 + 512, 3: 1_080 + 216, 4: 5_400 + 360}
    assert volume.structures == {"mitochondria": (1,), "vesicles": (2,), "cleft": (4,), "cleft2": (3,)}


@pytest.mark.parametrize(("vesicles", "count", "in_post"), [("both", 18_088, 512), ("none", 0, 0), ("distractor", 512, 512)])
def test_p1_has_the_vesicles_asked_for(vesicles, count, in_post):
    volume = synapse_phantoms.p1(vesicles).volume
    cloud = volume.organelles.read() == 2
    assert cloud.sum() == count
    assert (cloud & (volume.neurons.read() == 22)).sum() == in_post


def test_p1_refuses_other_vesicles():
    with pytest.raises(UnknownNameError, match="distractor"):
        synapse_phantoms.p1("few")


def test_the_site_of_p1_lies_in_its_structures():
    volume, sites = synapse_phantoms.p1().volume, synapse_phantoms.p1().sites
    assert tuple(sites.columns) == SITE_TABLE_COLUMNS
    row = sites.loc["phantom/bbox7/1"]
    centre, side1, side2 = (tuple(int(row[f"{w}_{a}"]) for a in "zyx") for w in ("center", "side1", "side2"))
    assert (centre, side1, side2) == ((60, 65, 83), (60, 65, 60), (60, 65, 100))
    assert volume.organelles.read()[centre] == 4
    assert (volume.neurons.read()[side1], volume.neurons.read()[side2]) == (11, 22)
    assert volume.neurons.read()[100, 65, 60] == 0  # side 2 with its columns misread as z, y, x


def test_p2_is_a_body_with_a_neck():
    fixture = synapse_phantoms.p2()
    assert _counts(fixture.volume.neurons.read()) == {11: 40 * 40 * 32 + 4 * 4 * 45, 22: 40 * 40 * 54}
    assert _counts(fixture.volume.organelles.read()) == {2: 160, 4: 2_400}
    assert fixture.volume.image.grid.shape == (100, 100, 200)
    # Its presynaptic voxels draw the centre of a crop towards x 49: the crop 9..89 has none of the cleft at 100..106.
    x = np.nonzero(fixture.volume.neurons.read() == 11)[2]
    assert int(103 * 0.3 + x.mean() * 0.7) == 58
