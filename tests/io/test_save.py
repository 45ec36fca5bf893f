import importlib
from pathlib import Path

import numpy as np
import pytest

from neurotome.core import Box, DiskFullError, FormatError, Grid, Image, InputError, Labels, Probability
from neurotome.io import open_image, open_labels, save
from neurotome.io.lazy import LazyArray, Ranges

SUFFIXES = [".ome.zarr", ".tif", ".h5", ".precomputed"]
module = importlib.import_module("neurotome.io.save")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_nothing_is_overwritten_unasked(tmp_path: Path, image: Image, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    save(image, path)
    inverse = Image(255 - image.read(), image.grid)
    with pytest.raises(InputError, match=r"exists already.*--overwrite"):
        save(inverse, path)
    assert np.array_equal(open_image(path).read(), image.read())
    save(inverse, path, overwrite=True)
    assert np.array_equal(open_image(path).read(), 255 - image.read())
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_failure_half_way_leaves_nothing(tmp_path: Path, suffix: str) -> None:
    def fails(ranges: Ranges) -> np.ndarray:
        if ranges[0][1] > 40:
            raise FormatError("section 40 is damaged")
        return np.ones([b - a for a, b in ranges], np.uint8)

    grid = Grid((64, 300, 2000), (30, 6, 6))
    with pytest.raises(FormatError, match="section 40 is damaged"):
        save(Image(LazyArray.whole(fails, grid.shape, np.uint8), grid), tmp_path / f"a{suffix}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_volume_is_never_read_whole(tmp_path: Path, suffix: str) -> None:
    largest = 0

    def watched(ranges: Ranges) -> np.ndarray:
        nonlocal largest
        largest = max(largest, ranges[0][1] - ranges[0][0])
        return np.zeros([b - a for a, b in ranges], np.uint64)

    grid = Grid((130, 256, 256), (30, 6, 6))
    save(Labels(LazyArray.whole(watched, grid.shape, np.uint64), grid), tmp_path / f"a{suffix}")
    # 128 sections are the 64 MiB that the TIFF writer takes at a time.
    assert 0 < largest <= 128
    assert not open_labels(tmp_path / f"a{suffix}").read().any()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_is_not_written_onto_itself(tmp_path: Path, image: Image, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    save(image, path)
    part = open_image(path).crop(Box((0, 0, 0), (2, 2, 2)))
    with pytest.raises(InputError, match="is the file that 'a' is read from"):
        save(part, path, overwrite=True)
    assert np.array_equal(open_image(path).read(), image.read())


@pytest.mark.parametrize("path", ["a.png", "a.npy", "folder", "a.jpg"])
def test_formats_that_are_not_written_name_those_that_are(tmp_path: Path, image: Image, path: str) -> None:
    with pytest.raises(FormatError, match=r"\.ome\.zarr, \.tif, \.h5"):
        save(image, tmp_path / path)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_bool_labels_become_0_and_1(tmp_path: Path, image: Image, suffix: str) -> None:
    mask = image.read() > 100
    save(Labels(mask, image.grid), tmp_path / f"a{suffix}")
    assert np.array_equal(open_labels(tmp_path / f"a{suffix}").read(), mask)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_progress_ends_at_its_total(tmp_path: Path, probability: Probability, suffix: str) -> None:
    calls: list[tuple[str, int, int]] = []
    save(probability, tmp_path / f"a{suffix}", progress=lambda *call: calls.append(call))
    what, done, total = calls[-1]
    assert done == total > 0
    assert what.startswith("write ")
    assert [c[1] for c in calls] == sorted(c[1] for c in calls)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_too_little_room_is_known_before_writing(
    tmp_path: Path, image: Image, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = module.shutil.disk_usage(tmp_path)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage._replace(free=100))
    with pytest.raises(DiskFullError, match=r"100 bytes\) free.*at least .*\(\d+ bytes\)"):
        save(image, tmp_path / f"a{suffix}")
    assert list(tmp_path.iterdir()) == []


def test_raw_formats_need_their_full_size(image: Image, labels: Labels) -> None:
    assert module.least_bytes(image, "precomputed") == image.grid.size
    assert module.least_bytes(image, "tiff") < image.grid.size
    assert module.least_bytes(labels, "ome-zarr") < labels.grid.size
