import numpy as np
import pytest

from neurotome.core import FormatError, Grid, InputError, MissingFileError, Skeleton, UnitError
from neurotome.io import write_swc
from neurotome.tracing.starting.seed_file import read_seeds

GRID = Grid((10, 100, 100), (1000.0, 500.0, 500.0), (0.0, 250.0, 0.0))


def test_words():
    assert read_seeds(["1,2,3", "4, 5, 6"], None, GRID).tolist() == [[1, 2, 3], [4, 5, 6]]
    assert read_seeds([], None, GRID) is None


@pytest.mark.parametrize("word", ["1,2", "1,2,x", "-1,2,3", "1.5,2,3", ""])
def test_words_that_are_no_voxel(word):
    with pytest.raises(InputError, match=r"--seed 10,200,150"):
        read_seeds([word], None, GRID)


@pytest.mark.parametrize(
    "name, text",
    [
        ("a.csv", "z,y,x\n3,40,50\n"),
        ("a.csv", "name, x, y, z\nn1, 50, 40, 3\n"),
        ("a.csv", "z_nm,y_nm,x_nm\n3000,20250,25100\n"),
        ("a.json", "[[3, 40, 50]]"),
        ("a.json", "[3, 40, 50]"),
    ],
)
def test_files(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    assert read_seeds((), str(tmp_path / name), GRID).tolist() == [[3, 40, 50]]


def test_roots_of_an_swc(tmp_path):
    points = np.array([[3000.0, 20250.0, 25000.0], [3000.0, 20250.0, 26000.0]])
    write_swc(tmp_path / "a.swc", Skeleton.of([-1, 0], points))
    assert read_seeds(["1,1,1"], str(tmp_path / "a.swc"), GRID).tolist() == [[1, 1, 1], [3, 40, 50]]
    (tmp_path / "b.swc").write_text("1 1 0 0 0 1 -1\n")
    with pytest.raises(UnitError, match="# unit: um"):
        read_seeds([], str(tmp_path / "b.swc"), GRID)


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "z,y,x\n"])
def test_files_without_points(tmp_path, text):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(FormatError, match=r"a\.csv.*columns z, y, x"):
        read_seeds([], str(tmp_path / "a.csv"), GRID)


def test_missing_file(tmp_path):
    with pytest.raises(MissingFileError):
        read_seeds([], str(tmp_path / "none.csv"), GRID)
