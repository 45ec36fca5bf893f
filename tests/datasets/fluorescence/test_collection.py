import numpy as np
import pytest

from neurotome.core import MissingFileError, UnknownNameError
from neurotome.datasets import data_root
from neurotome.datasets.fluorescence import FluorescenceSpec, collection, fluorescence

needs_archives = pytest.mark.skipif(
    not (data_root() / "swc" / "rat_cortex.zip").is_file(), reason="the archives of SWC files are not in the data folder"
)


def test_the_part_follows_from_the_name_and_seven_in_ten_are_for_training():
    parts = [collection.part_of(f"{n}.swc") for n in range(2000)]
    assert parts.count("training") == pytest.approx(1400, abs=60)
    assert collection.part_of("14.swc") == parts[14]


def test_unknown_names_and_missing_archives_are_said(tmp_path):
    with pytest.raises(UnknownNameError, match="fly_medulla"):
        collection.names("fly_medula")
    with pytest.raises(UnknownNameError, match="training"):
        collection.names("fly_medulla", "train")
    with pytest.raises(MissingFileError, match="NEUROTOME_DATA"):
        collection.names("rat_cortex", root=tmp_path)


@pytest.mark.realdata
@needs_archives
def test_the_archives_hold_enough_neurons_of_both_parts():
    for name, total in (("fly_medulla", 379), ("rat_cortex", 200)):
        training, test = (collection.names(name, part) for part in collection.PARTS)
        assert len(training) + len(test) == total
        assert len(test) >= 30
        assert not set(training) & set(test)


@pytest.mark.realdata
@needs_archives
def test_a_real_neuron_is_read_and_rendered():
    tree = collection.morphology("rat_cortex", collection.names("rat_cortex", "test")[0])
    assert len(tree.roots) == 1
    stack = fluorescence(FluorescenceSpec(source=tree, radius_vox=(1.0, 3.0), snr=7))
    assert 300 < stack.skeleton.length_nm / 500 <= 2000
    assert np.median(stack.skeleton.radii_nm) / 500 == pytest.approx(1.8, abs=0.7)
    with pytest.raises(UnknownNameError, match="neuron of rat_cortex"):
        collection.morphology("rat_cortex", "nobody.swc")
