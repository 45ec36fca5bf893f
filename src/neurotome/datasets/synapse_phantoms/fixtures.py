"""Two volumes of boxes around one synapse each: every count of a mask and every distance can be worked out by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from neurotome.core import Grid, Image, Labels, SynapseVolume, UnknownNameError
from neurotome.core.geometry import Int3
from neurotome.io import site_table

__all__ = ["P1_VESICLES", "Fixture", "p1", "p2"]

Ranges = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]
"""Half-open ranges of voxels along z, y and x."""

VOXEL_NM = (8.0, 8.0, 8.0)
STRUCTURES = {"mitochondria": (1,), "vesicles": (2,), "cleft": (4,), "cleft2": (3,)}

P1_VESICLES = ("both", "none", "distractor")
"""Which vesicles P1 has: those at the synapse and a few in the postsynapse, none, or only the few."""


@dataclass(frozen=True, eq=False)
class Fixture:
    """One volume with one synapse, and the table that says where it is (columns: `io.SITE_TABLE_COLUMNS`)."""

    volume: SynapseVolume
    sites: pd.DataFrame


def p1(vesicles: str = "both") -> Fixture:
    """A synapse between two boxes, 48 nm apart, with a second piece of cleft and a distractor of every structure.

    Shape (120, 140, 160), voxels of 8 nm. Neurons: 11 presynaptic, 22 postsynaptic, 33 beside. Mitochondria: one in 11, one in 22
    that is nearer to the site. The image is (3z + 5y + 7x) mod 256. `vesicles`: one of `P1_VESICLES`; with "none" the
    presynaptic side cannot be told, with "distractor" it seems to be the other.

    Raises UnknownNameError.
    """
    if vesicles not in P1_VESICLES:
        raise UnknownNameError("vesicles of P1", vesicles, P1_VESICLES)
    clouds: dict[str, Ranges] = {"both": ((46, 72), (52, 78), (50, 76)), "distractor": ((22, 30), (30, 38), (90, 98))}
    shown = {"both": clouds.values(), "none": [], "distractor": [clouds["distractor"]]}[vesicles]
    neurons: dict[int, list[Ranges]] = {
        11: [((20, 100), (20, 110), (30, 82))],
        22: [((20, 100), (20, 110), (84, 130))],
        33: [((20, 100), (112, 136), (30, 130))],
    }
    organelles: dict[int, list[Ranges]] = {
        4: [((45, 75), (50, 80), (80, 86)), ((84, 90), (40, 50), (80, 86))],
        3: [((45, 75), (84, 90), (80, 86)), ((84, 90), (84, 90), (80, 86))],
        2: list(shown),
        1: [((24, 36), (30, 44), (50, 70)), ((80, 92), (92, 104), (90, 102))],
    }
    volume = _boxes("bbox7", (120, 140, 160), neurons, organelles)
    return Fixture(volume, _site("bbox7", center=(60, 65, 83), side1=(60, 65, 60), side2=(60, 65, 100)))


def p2() -> Fixture:
    """A synapse at the end of a thin neck: a crop that moves towards the body of the presynapse loses the cleft.

    Shape (100, 100, 200), voxels of 8 nm. Neuron 11 is a body with a neck of 4 x 4 voxels that ends at the cleft,
    22 a box behind it.
    """
    neurons: dict[int, list[Ranges]] = {
        11: [((30, 70), (30, 70), (23, 55)), ((48, 52), (48, 52), (55, 100))],
        22: [((30, 70), (30, 70), (106, 160))],
    }
    organelles: dict[int, list[Ranges]] = {4: [((40, 60), (40, 60), (100, 106))], 2: [((48, 52), (48, 52), (88, 98))]}
    volume = _boxes("p2", (100, 100, 200), neurons, organelles)
    return Fixture(volume, _site("p2", center=(50, 50, 103), side1=(50, 50, 90), side2=(50, 50, 120)))


def _boxes(name: str, shape: Int3, neurons: Mapping[int, list[Ranges]], organelles: Mapping[int, list[Ranges]]) -> SynapseVolume:
    z, y, x = np.ogrid[: shape[0], : shape[1], : shape[2]]
    image = ((3 * z + 5 * y + 7 * x) % 256).astype(np.uint8)
    grid = Grid(shape, VOXEL_NM)
    return SynapseVolume(
        name,
        Image(image, grid, name="image"),
        Labels(_paint(shape, neurons, np.uint64), grid, name="neurons"),
        Labels(_paint(shape, organelles, np.uint8), grid, name="organelles"),
        STRUCTURES,
    )


def _paint(shape: Int3, boxes: Mapping[int, list[Ranges]], dtype: type[np.unsignedinteger]) -> np.ndarray:
    labels = np.zeros(shape, dtype)
    for label, places in boxes.items():
        for (z0, z1), (y0, y1), (x0, x1) in places:
            labels[z0:z1, y0:y1, x0:x1] = label
    return labels


def _site(volume: str, *, center: Int3, side1: Int3, side2: Int3) -> pd.DataFrame:
    row = {"dataset": "phantom", "volume": volume, "synapse_id": "1", "center": center, "side1": side1, "side2": side2}
    return site_table([row])
