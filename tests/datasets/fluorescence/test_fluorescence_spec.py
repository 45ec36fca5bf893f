import pytest

from neurotome.core import InputError
from neurotome.datasets.fluorescence import NEURON, FluorescenceSpec


def test_the_unit_is_the_smallest_side_of_a_voxel():
    assert FluorescenceSpec(voxel_nm=(900, 300, 310)).unit_nm == 300.0


def test_equal_specs_are_equal_whatever_sequences_they_were_given():
    assert FluorescenceSpec(shape=[16, 32, 32], radius_vox=[1, 2]) == FluorescenceSpec(shape=(16, 32, 32), radius_vox=(1.0, 2.0))


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"shape": (4, 64, 64)}, "at least 8 voxels"),
        ({"voxel_nm": (0, 500, 500)}, "three lengths above 0"),
        ({"radius_vox": (3, 1)}, "thinnest <= thickest"),
        ({"snr": 0}, "number above 0"),
        ({"snr": float("nan")}, "number above 0"),
        ({"gaps": -1}, "0 or more"),
        ({"fading": 1.5}, "share from 0 to 1"),
        ({"psf_nm": (-1, 0, 0)}, "three lengths of 0"),
        ({"neighbours": 300}, "at most 200"),
        ({"dtype": "float32"}, "uint8 or uint16"),
    ],
)
def test_what_cannot_be_rendered_is_refused(asked, said):
    with pytest.raises(InputError, match=said):
        FluorescenceSpec(**asked)


def test_all_neurites_are_one_skeleton_of_all_trees(stack):
    every = stack.neurites
    assert len(every) == len(stack.skeleton) + sum(map(len, stack.neighbours))
    assert len(every.roots) == len(stack.skeleton.roots) + sum(len(n.roots) for n in stack.neighbours)
    assert stack.mask.legend.names[NEURON] == "neuron"
