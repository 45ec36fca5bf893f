import pytest

from neurotome.core import UnitError, length_nm


@pytest.mark.parametrize(
    ("value", "unit", "nm"), [(30, "nm", 30), (0.006, "µm", 6), (0.006, "micron", 6), (60, "Angstrom", 6), (1, "mm", 1e6)]
)
def test_lengths(value, unit, nm):
    assert length_nm(value, unit) == nm


@pytest.mark.parametrize("unit", ["pixel", "", "voxels", "furlong"])
def test_what_is_no_length_is_an_error(unit):
    with pytest.raises(UnitError, match="nm, um"):
        length_nm(1, unit)
