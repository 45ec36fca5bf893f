import pytest

from neurotome.core import InputError
from neurotome.datasets.phantom import PhantomSpec


def test_default_is_the_volume_of_the_demo():
    assert (PhantomSpec().shape, PhantomSpec().voxel_nm) == ((64, 512, 512), (30.0, 6.0, 6.0))


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({"shape": (2, 64, 64)}, r"at least \(4, 48, 48\)"),
        ({"voxel_nm": (30, 0, 6)}, "choose EM voxels"),
        ({"voxel_nm": (300, 6, 6)}, "at most 60 nm"),
        ({"noise": -1}, "give 0 for none"),
        ({"brightness_jumps": float("nan")}, "give 0 for none"),
        ({"missing": 30, "blurred": 10}, "at most half of its 64 sections"),
        ({"misaligned": -1}, "ask for fewer"),
        ({"misaligned": 1, "misaligned_vox": 0}, "1 voxel or more"),
        ({"seed": -1}, "a whole number"),
    ],
)
def test_impossible_tissue_is_refused_with_a_remedy(wrong, match):
    with pytest.raises(InputError, match=match):
        PhantomSpec(**wrong)
