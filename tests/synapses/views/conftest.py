from collections.abc import Callable

import numpy as np
import pytest

from neurotome.core import Crop
from neurotome.core.crops import OPERANDS

MakeCrop = Callable[..., Crop]


@pytest.fixture
def make_crop() -> MakeCrop:
    return _make_crop


@pytest.fixture
def synapse() -> Crop:
    """A small crop (32 voxels) with one of everything: pre below, post above, a gap with the cleft, background at the far end."""
    where = {name: np.zeros((32, 32, 32), bool) for name in OPERANDS}
    where["valid"][:] = True
    where["side1"][:, :, :12] = where["pre"][:, :, :12] = True
    where["side2"][:, :, 16:28] = where["post"][:, :, 16:28] = True
    where["background"][:] = ~(where["side1"] | where["side2"])
    where["vesicles"][8:20, 8:20, 4:10] = where["all_vesicles"][8:20, 8:20, 4:10] = True
    where["all_vesicles"][28:30, 28:30, 20:22] = True
    where["cleft"][8:20, 8:20, 13:15] = where["all_cleft"][8:20, 8:20, 13:15] = True
    where["cleft2"][24:28, 8:20, 13:15] = where["all_cleft2"][24:28, 8:20, 13:15] = True
    where["mitochondria"][26:30, 2:6, 2:6] = where["all_mitochondria"][26:30, 2:6, 2:6] = True
    return _make_crop(**where, psd=where["post"] & np.roll(where["cleft"], 2, axis=2))


def _make_crop(
    image: np.ndarray | None = None,
    *,
    size: int = 32,
    key: str = "d/v/1",
    voxel_nm: tuple[float, float, float] = (8.0, 8.0, 8.0),
    levels: tuple[float, float] = (0.0, 255.0),
    **where: np.ndarray,
) -> Crop:
    """A crop with the named operands; it is valid throughout unless told otherwise."""
    size = next(iter(where.values())).shape[0] if where else size
    where.setdefault("valid", np.ones((size, size, size), bool))
    names = OPERANDS + tuple(name.replace("__", " ") for name in where if name not in OPERANDS)
    bits = np.zeros((size, size, size), np.uint32)
    for i, name in enumerate(names):
        if name in where:
            bits |= where[name].astype(np.uint32) << np.uint32(i)
    if image is None:
        z, y, x = np.ogrid[:size, :size, :size]
        image = ((3 * z + 5 * y + 7 * x) % 256).astype(np.uint8)
    return Crop(key, image, bits, names, voxel_nm, levels)
