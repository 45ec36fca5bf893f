import numpy as np
import pytest

from neurotome.core import OPERANDS, Box, Crop, CropRecipe, InputError, UnknownNameError
from neurotome.datasets.synapse_phantoms import p1
from neurotome.synapses.analysis import crop_sizes, largest_slices, synapse_sizes
from neurotome.synapses.analysis.sizes import cleft_in_site_box


def _crop(volume, start, key="phantom/bbox7/1", vesicles=((46, 52, 50), (72, 78, 76))):
    """P1 cut by hand: of all operands only those that sizes need."""
    box = Box(start, tuple(at + 80 for at in start))
    labels = volume.organelles.read(box)
    cloud = np.zeros(volume.organelles.grid.shape, bool)
    cloud[Box(*vesicles).slices] = True
    bits = np.zeros(labels.shape, np.uint32)
    for name, mask in (("vesicles", cloud[box.slices]), ("all_cleft", labels == 4), ("all_cleft2", labels == 3)):
        bits |= mask.astype(np.uint32) << np.uint32(OPERANDS.index(name))
    return Crop(key, volume.image.read(box), bits, OPERANDS, (8.0, 8.0, 8.0), (0.0, 255.0))


@pytest.fixture(scope="module")
def fixture():
    return p1()


def test_sizes_of_the_fixture(fixture):
    sites = fixture.sites
    crop = _crop(fixture.volume, (20, 25, 43))
    sizes = synapse_sizes([crop], sites, {"bbox7": fixture.volume}).loc["phantom/bbox7/1"]
    assert sizes["vesicle_percent_crop"] == 3.4328125
    assert sizes["vesicle_volume_um3"] == pytest.approx(0.00899891, abs=1e-8)
    assert sizes["cleft_percent_crop"] == 1.378125
    assert sizes["cleft_volume_um3"] == pytest.approx(7056 * 512e-9)
    assert sizes[["largest_z", "largest_z_voxels"]].tolist() == [25, 216]
    assert sizes[["largest_y", "largest_y_voxels"]].tolist() == [59, 216]
    assert sizes[["largest_x", "largest_x_voxels"]].tolist() == [37, 1176]


def test_the_cleft_is_counted_where_the_site_is_not_where_the_crop_went(fixture):
    # A crop far from the cleft: its own slices have none, the site's box still has all.
    crop = _crop(fixture.volume, (19, 24, 0))
    sizes = synapse_sizes([crop], fixture.sites, {"bbox7": fixture.volume}).iloc[0]
    assert sizes["cleft_percent_crop"] == 1.378125
    assert sizes[["largest_x", "largest_x_voxels"]].tolist() == [-1, 0]


def test_a_plate_of_cleft_and_a_box_that_leaves_the_volume(fixture):
    assert 100 * 30 * 30 * 6 / 80**3 == 1.0546875
    assert cleft_in_site_box(fixture.volume, (60, 65, 83), CropRecipe()) == (7056, 512_000)
    # At the corner: only what lies inside is read, the box keeps its size.
    voxels, whole = cleft_in_site_box(fixture.volume, (0, 0, 0), CropRecipe(size=100))
    assert (voxels, whole) == (0, 1_000_000)
    assert cleft_in_site_box(fixture.volume, (60, 65, 83), CropRecipe(size=80, isotropic_nm=4.0))[1] == 40**3


def test_the_first_of_equal_slices_counts():
    mask = np.zeros((4, 4, 4), bool)
    mask[1:3, 2, 0] = True
    assert largest_slices(mask) == ((1, 1), (2, 2), (0, 2))
    assert largest_slices(np.zeros((2, 2, 2), bool)) == ((-1, 0),) * 3


def test_what_is_missing_is_named(fixture):
    crop = _crop(fixture.volume, (20, 25, 43))
    assert crop_sizes(crop)["largest_z"] == 25
    with pytest.raises(UnknownNameError, match="Unknown volume 'bbox7'"):
        synapse_sizes([crop], fixture.sites, {"bbox1": fixture.volume})
    other = _crop(fixture.volume, (20, 25, 43), key="phantom/bbox7/2")
    with pytest.raises(InputError, match="'phantom/bbox7/2' without a row"):
        synapse_sizes([other], fixture.sites, {"bbox7": fixture.volume})
