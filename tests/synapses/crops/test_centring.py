"""Where the middle of a crop goes, and that it never leaves the cleft."""

from hypothesis import given
from hypothesis import strategies as st

from neurotome.core import Box, CropRecipe
from neurotome.synapses.crops.centring import clefts_of_site, crop_centre, guarded_centre, is_truncated, smart_centre

voxels = st.integers(0, 200)


def box(start, shape):
    return Box(start, tuple(a + n for a, n in zip(start, shape, strict=True)))


def test_shares_of_the_way_to_the_presynapse():
    assert [smart_centre((60, 65, 83), (59.5, 64.5, 55.5), w)[2] for w in (0.0, 0.3, 0.5, 0.7, 1.0)] == [83, 74, 69, 63, 55]


@given(st.tuples(voxels, voxels, voxels), st.floats(0, 1))
def test_a_presynapse_around_the_site_moves_nothing(site, weight):
    assert smart_centre(site, tuple(map(float, site)), weight) == site


@given(
    st.tuples(voxels, voxels, voxels),
    st.tuples(voxels, voxels, voxels),
    st.tuples(*[st.integers(1, 72)] * 3),
)
def test_guarded_crop_holds_the_cleft_with_its_margin(centre, start, shape):
    cleft = box(start, shape)
    at = guarded_centre(centre, cleft, 80, 4)
    crop = Box(tuple(c - 40 for c in at), tuple(c + 40 for c in at))
    assert cleft.grow((4, 4, 4)).intersect(crop) == cleft.grow((4, 4, 4))
    assert not is_truncated(cleft, crop, CropRecipe())
    # Nothing moves that need not.
    assert guarded_centre(at, cleft, 80, 4) == at


def test_a_cleft_too_large_for_the_crop_is_centred_and_told():
    cleft = box((0, 40, 40), (90, 10, 10))
    assert guarded_centre((80, 45, 45), cleft, 80, 4) == (45, 45, 45)
    assert is_truncated(cleft, box((5, 5, 5), (80, 80, 80)), CropRecipe())


def test_only_smart_centring_moves():
    cleft = box((0, 0, 100), (5, 5, 5))
    site, middle = (50, 50, 50), (50.0, 50.0, 20.0)
    assert crop_centre(site, middle, cleft, CropRecipe(centring="site")) == site
    assert crop_centre(site, None, None, CropRecipe()) == site
    # Without a presynapse nothing is moved towards it, but the cleft is kept all the same.
    assert crop_centre(site, None, cleft, CropRecipe()) == (36, 36, 69)
    assert crop_centre(site, middle, None, CropRecipe()) == (50, 50, 29)
    assert crop_centre(site, middle, None, CropRecipe(guard_vox=None, weight=0.0)) == site


def test_clefts_of_other_synapses_do_not_hold_the_crop():
    own, near, far = box((95, 95, 95), (10, 10, 10)), box((95, 120, 95), (10, 10, 10)), box((95, 165, 95), (10, 10, 10))
    site, recipe = (100, 100, 100), CropRecipe()
    assert clefts_of_site([(0.0, own), (200.0, near)], site, recipe) == box((95, 95, 95), (10, 35, 10))
    assert clefts_of_site([(0.0, own), (520.0, far)], site, recipe) == own
    assert clefts_of_site([(520.0, far)], site, recipe) is None
    assert clefts_of_site([], site, recipe) is None
    # Together too large for one crop: the nearer one counts.
    wide = box((95, 130, 95), (10, 60, 10))
    assert clefts_of_site([(240.0, wide), (0.0, own)], site, recipe) == own
