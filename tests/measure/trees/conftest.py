import zipfile

import numpy as np
import pytest

from neurotome import datasets
from neurotome.core import Skeleton

VOXEL_NM = (1000.0, 1000.0, 1000.0)


@pytest.fixture(scope="session")
def line():
    return _line


@pytest.fixture(scope="session")
def tree():
    return _tree


@pytest.fixture(scope="session")
def denser():
    return _denser


def _line(start, stop, step=1.0, offset=0.0, radius=1000.0):
    """A straight tree along x, in voxels of 1 um, moved along y."""
    x = np.arange(start, stop + step / 2, step) * 1000.0
    points = np.column_stack([np.zeros(len(x)), np.full(len(x), offset * 1000.0), x])
    return Skeleton.of(np.arange(len(x)) - 1, points, radii_nm=np.full(len(x), radius), name=f"line {start}-{stop}")


def _tree(parents, points, scale=1000.0, name="tree"):
    return Skeleton.of(parents, np.asarray(points, float) * scale, name=name)


def _denser(skeleton, pieces):
    """The same shape with every edge in so many pieces."""
    parents, points = [], []
    last = {}
    for row, parent in enumerate(skeleton.parent_rows.tolist()):
        if parent < 0:
            parents.append(-1)
            points.append(skeleton.points_nm[row])
        else:
            a, b = skeleton.points_nm[parent], skeleton.points_nm[row]
            for k in range(1, pieces + 1):
                parents.append(last[parent] if k == 1 else len(points) - 1)
                points.append(a + (b - a) * k / pieces)
        last[row] = len(points) - 1
    return Skeleton.of(parents, points, name=skeleton.name)


@pytest.fixture(scope="session")
def bigneuron(tmp_path_factory):
    """Read a file of the gold neurons and their rivals, in voxels of 1 um: name -> Skeleton."""
    from neurotome.io.swc import read_swc

    archive = datasets.data_root() / "bigneuron" / "gold_and_rivals.zip"
    if not archive.is_file():
        pytest.skip(f"{archive} is not there (set NEUROTOME_DATA)")
    folder = tmp_path_factory.mktemp("bigneuron")

    def read(name):
        with zipfile.ZipFile(archive) as files:
            files.extract(f"{name}.swc", folder)
        return read_swc(folder / f"{name}.swc", unit="voxel", voxel_nm=VOXEL_NM).skeleton

    return read
