import errno
import json
from pathlib import Path

import numpy as np
import pytest

from neurotome.core import DiskFullError, InputError
from neurotome.io.atomic import (
    atomic_target,
    atomic_write_json,
    atomic_write_text,
    plain_json,
    remove_leftovers,
    require_free_space,
)


def test_a_failure_leaves_the_old_content_and_nothing_else(tmp_path: Path) -> None:
    atomic_write_text(tmp_path / "a.txt", "old")
    with pytest.raises(ZeroDivisionError), atomic_target(tmp_path / "a.txt") as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a.txt", "old")]


def test_a_folder_is_replaced_as_a_whole(tmp_path: Path) -> None:
    for content in ("old", "new"):
        with atomic_target(tmp_path / "f.zarr") as temporary:
            assert temporary.name.endswith(".f.zarr")
            temporary.mkdir()
            (temporary / content).touch()
    assert [p.name for p in tmp_path.iterdir()] == ["f.zarr"]
    assert [p.name for p in (tmp_path / "f.zarr").iterdir()] == ["new"]


def test_what_a_killed_writer_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    targets = [atomic_target(tmp_path / "inner" / "a.npz"), atomic_target(tmp_path / "f.zarr")]
    kept = tmp_path / "inner" / ".hidden.part.txt"
    file, folder = (target.__enter__() for target in targets)
    for path in (file, kept):
        path.write_text("half")
    folder.mkdir()
    (folder / "zarr.json").touch()
    remove_leftovers(tmp_path)
    assert [p for p in tmp_path.rglob("*") if not p.is_dir()] == [kept] and not folder.exists()


def test_an_existing_target_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("mine")
    with pytest.raises(InputError, match=r"exists already.*--overwrite"), atomic_target(tmp_path / "a.txt", overwrite=False):
        pytest.fail("the block must not run")
    assert (tmp_path / "a.txt").read_text() == "mine"


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), ValueError("writing chunk: [errno: No space left on device]")]
)
def test_a_full_disk_is_named_with_its_free_bytes(tmp_path: Path, error: Exception) -> None:
    said = r"a.tif.*\(\d+ bytes\) free.*up to 0.5 MB \(500000 bytes\)"
    target = atomic_target(tmp_path / "a.tif", most_bytes=500_000)
    with pytest.raises(DiskFullError, match=said) as caught, target as temporary:
        temporary.write_text("half")
        raise error
    assert caught.value.exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_other_errors_stay_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(PermissionError), atomic_target(tmp_path / "a.tif"):
        raise PermissionError


def test_room_is_looked_for_before_writing(tmp_path: Path) -> None:
    require_free_space(tmp_path / "not" / "there" / "yet.tif", 1)
    with pytest.raises(DiskFullError, match=r"at least 1,000,000,000,000.0 MB \(1000000000000000000 bytes\)"):
        require_free_space(tmp_path / "a.tif", 10**18)


def test_json_holds_what_numpy_and_pathlib_give(tmp_path: Path) -> None:
    values = {"n": np.uint64(2**63), "a": np.array([1.5, np.nan]), "p": Path("x"), "t": (1, 2), "s": {3, 1}, "ok": np.bool_(True)}
    atomic_write_json(tmp_path / "a.json", values)
    assert json.loads((tmp_path / "a.json").read_text()) == {
        "n": 2**63,
        "a": [1.5, None],
        "p": "x",
        "t": [1, 2],
        "s": [1, 3],
        "ok": True,
    }


def test_json_refuses_what_it_cannot_hold() -> None:
    with pytest.raises(InputError, match="type object"):
        plain_json({"x": object()})
