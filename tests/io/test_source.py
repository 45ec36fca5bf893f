from pathlib import Path

import numpy as np
import pytest

from neurotome.core import UnitError
from neurotome.io.lazy import LazyArray
from neurotome.io.source import Source


def source(voxel_nm: tuple[float | None, ...]) -> Source:
    data = LazyArray.whole(lambda r: np.zeros((2, 3, 4)), (2, 3, 4), np.uint8)
    return Source(Path("cell.tif"), "TIFF", data, "ZYX", voxel_nm)  # type: ignore[arg-type]


def test_the_file_says_it() -> None:
    assert source((30.0, 6.0, 6.0)).grid(None).voxel_nm == (30.0, 6.0, 6.0)


def test_missing_names_the_option() -> None:
    with pytest.raises(UnitError, match=r"'cell.tif' does not state its voxel size.*--voxel-nm Z Y X"):
        source((None, None, None)).grid(None)


def test_partly_missing_says_what_is_known() -> None:
    with pytest.raises(UnitError, match=r"it says \?, 6, 6 nm"):
        source((None, 6.0, 6.0)).grid(None)
    assert source((None, 6.0, 6.0)).grid((30, 6, 6)).voxel_nm == (30.0, 6.0, 6.0)


def test_agreement_within_a_thousandth() -> None:
    assert source((30.0, 6.0, 6.0)).grid((30.02, 6, 6)).voxel_nm == (30.02, 6.0, 6.0)
    with pytest.raises(UnitError, match=r"states voxels of 30, 6, 6 nm .*--voxel-nm 30.1, 6, 6: z differs"):
        source((30.0, 6.0, 6.0)).grid((30.1, 6, 6))


def test_a_wrong_size_is_refused_even_where_the_file_says_only_a_part() -> None:
    with pytest.raises(UnitError, match="x differs"):
        source((None, None, 6.0)).grid((30, 6, 5))


def test_the_name_has_no_suffix() -> None:
    assert source((1.0, 1.0, 1.0)).name == "cell"
