"""The length of a scale bar, and its name."""

from __future__ import annotations

import math

__all__ = ["scale_bar"]


def scale_bar(width_nm: float) -> tuple[float, str]:
    """The largest of 1, 2, 5 times a power of ten below a quarter of the width: in nm, and in words.

    >>> scale_bar(512 * 300.0), scale_bar(2400.0)
    ((20000.0, '20 µm'), (500.0, '500 nm'))
    """
    power = 10.0 ** math.floor(math.log10(width_nm / 4))
    length = max(m * power for m in (1, 2, 5) if m * power <= width_nm / 4)
    return length, f"{length / 1000:g} µm" if length >= 1000 else f"{length:g} nm"
