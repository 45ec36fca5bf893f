"""Lengths in other units, turned into nanometres: the only place that knows how many nanometres a unit has."""

from neurotome.core.errors import UnitError

__all__ = ["length_nm"]

_NM_PER_UNIT = {
    "nm": 1.0,
    "nanometer": 1.0,
    "nanometre": 1.0,
    "nanometers": 1.0,
    "nanometres": 1.0,
    "a": 0.1,
    "å": 0.1,
    "angstrom": 0.1,
    "um": 1e3,
    "µm": 1e3,
    "μm": 1e3,
    "\\u00b5m": 1e3,
    "micron": 1e3,
    "microns": 1e3,
    "micrometer": 1e3,
    "micrometre": 1e3,
    "micrometers": 1e3,
    "micrometres": 1e3,
    "mm": 1e6,
    "millimeter": 1e6,
    "millimetre": 1e6,
    "cm": 1e7,
    "centimeter": 1e7,
    "centimetre": 1e7,
    "m": 1e9,
    "meter": 1e9,
    "metre": 1e9,
    "inch": 25.4e6,
}


def length_nm(value: float, unit: str) -> float:
    """A length in nanometres.

    Raises UnitError for an unknown unit; pixels and empty units are unknown, because they are not lengths.

    >>> length_nm(0.03, "um")
    30.0
    """
    factor = _NM_PER_UNIT.get(unit.strip().lower())
    if factor is None:
        raise UnitError(
            f"Length unit '{unit}' is not known", "nm, um, mm, m, angstrom, inch or their long names", "give the voxel size in nm"
        )
    # Multiplying 0.03 by 1e3 leaves a last-bit error that would show in every file we write.
    return round(float(value) * factor, 9)
