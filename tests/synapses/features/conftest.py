"""A few small crops with all operands, a small network, and their features."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest
import torch

from neurotome.core import OPERANDS, Crop, CropRecipe
from neurotome.nn.vgg3d import VGG3D, VGG3DConfig
from neurotome.synapses.features import FeatureNetwork

SIDE, COUNT, WITHOUT_VESICLES, UNDETERMINED = 16, 6, 2, 4


@dataclass(frozen=True, eq=False)
class Crops:
    recipe: CropRecipe
    sites: pd.DataFrame
    cut: tuple[Crop, ...]
    reads: list[int] = field(default_factory=list)

    def __len__(self):
        return len(self.cut)

    def __getitem__(self, index):
        self.reads.append(index)
        return self.cut[index]


def one_crop(row, key):
    rng = np.random.default_rng(row)
    image = rng.integers(0, 256, (SIDE,) * 3, dtype=np.uint8)
    where = {name: np.zeros(image.shape, bool) for name in OPERANDS}
    where["valid"][:] = True
    where["pre"][:, :, :9] = where["side1"][:, :, :9] = True
    where["post"][:, :, 11:] = where["side2"][:, :, 11:] = True
    where["cleft"][4:12, 4:12, 9:11] = where["all_cleft"][4:12, 4:12, 9:11] = True
    if row != WITHOUT_VESICLES:
        where["vesicles"][5:11, 5:11, 3:8] = where["all_vesicles"][5:11, 5:11, 3:8] = True
    bits = sum(mask.astype(np.uint32) << np.uint32(bit) for bit, mask in enumerate(where.values()))
    return Crop(key, image, bits.astype(np.uint32), OPERANDS, (8.0, 8.0, 8.0), (2.0, 250.0))


@pytest.fixture(scope="session")
def crops():
    rows = [("phantom", f"v{1 + k % 2}", str(k)) for k in range(COUNT)]
    sites = pd.DataFrame(rows, columns=["dataset", "volume", "synapse_id"], index=["/".join(row) for row in rows])
    for at, name in enumerate(f"{what}_{axis}" for what in ("center", "side1", "side2") for axis in "zyx"):
        sites[name] = np.arange(COUNT) + 10 * at
    sites["pre_side"] = [0 if k == UNDETERMINED else 1 for k in range(COUNT)]
    sites["margin"] = [0.1 if k == UNDETERMINED else 1.0 for k in range(COUNT)]
    return Crops(CropRecipe(size=SIDE), sites, tuple(one_crop(k, key) for k, key in enumerate(sites.index)))


@pytest.fixture(scope="session")
def network():
    torch.manual_seed(0)
    made = VGG3D(VGG3DConfig(size=SIDE, widths=(4, 8, 8, 16))).eval()
    return FeatureNetwork(made, "toy", sha256="ab" * 32, normalization="synister", trained_on="noise")
