"""Crops of two volumes, half of them with a large cloud of vesicles, half with a small one."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
import torch

from neurotome.core import OPERANDS, Crop, CropLook, CropRecipe
from neurotome.nn import FitSettings
from neurotome.synapses.contrastive import ContrastRecipe, CubeSettings

SIDE, TRAINING, VALIDATION, UNDETERMINED = 32, 10, 6, 3


@dataclass(frozen=True, eq=False)
class Crops:
    recipe: CropRecipe
    sites: pd.DataFrame
    cut: tuple[Crop, ...]

    def __len__(self):
        return len(self.cut)

    def __getitem__(self, index):
        return self.cut[index]


def one_crop(row, key):
    rng = np.random.default_rng(row)
    z, y, x = np.ogrid[:SIDE, :SIDE, :SIDE]
    where = {name: np.zeros((SIDE,) * 3, bool) for name in OPERANDS}
    where["valid"][:] = True
    where["pre"][:, :, :17] = where["side1"][:, :, :17] = True
    where["post"][:, :, 21:] = where["side2"][:, :, 21:] = True
    where["cleft"][8:24, 8:24, 17:21] = where["all_cleft"][8:24, 8:24, 17:21] = True
    cloud = (z - 16) ** 2 + (y - 16) ** 2 + (x - 9) ** 2 < (9 if row % 2 else 4) ** 2
    where["vesicles"] |= cloud
    image = rng.normal(150, 12, (SIDE,) * 3) - 90 * cloud - 60 * where["cleft"]
    bits = sum(mask.astype(np.uint32) << np.uint32(bit) for bit, mask in enumerate(where.values()))
    return Crop(key, image.clip(0, 255).astype(np.uint8), bits.astype(np.uint32), OPERANDS, (8.0, 8.0, 8.0), (2.0, 250.0))


@pytest.fixture(scope="session")
def crops():
    count = TRAINING + VALIDATION
    rows = [("phantom", "a" if k < TRAINING else "b", str(k)) for k in range(count)]
    sites = pd.DataFrame(rows, columns=["dataset", "volume", "synapse_id"], index=["/".join(row) for row in rows])
    sites["crop_z"], sites["crop_y"], sites["crop_x"] = 100 * np.arange(count), 50, 60
    for axis in "zyx":
        sites[f"voxel_{axis}_nm"] = 8.0
    sites["pre_id"] = [f"v_{k // 2}" for k in range(count)]
    sites["pre_side"] = [0 if k == UNDETERMINED else 1 for k in range(count)]
    sites["margin"] = [0.1 if k == UNDETERMINED else 1.0 for k in range(count)]
    return Crops(CropRecipe(size=SIDE), sites, tuple(one_crop(k, key) for k, key in enumerate(sites.index)))


@pytest.fixture(scope="session")
def settings():
    return CubeSettings(side=16, extent_nm=SIDE * 8.0, look=CropLook(mask="clefts | pre"))


@pytest.fixture(scope="session")
def recipe(settings):
    return ContrastRecipe(
        cubes=settings,
        widths=(4, 8),
        convs=(1, 1),
        queue=6,
        fit=FitSettings(
            steps=6,
            validate_every=3,
            batch=4,
            learning_rate=3e-3,
            # No step is past twice this: so few need not be better than a collapse.
            warmup=3,
            average=0.9,
            precision="32-true",
            device="cpu",
            loggers=("csv",),
        ),
    )


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
