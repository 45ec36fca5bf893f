import json
from pathlib import Path

import neuroglancer.skeleton
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neurotome.core import FormatError, Grid, InputError, Labels, Skeleton, UnknownNameError
from neurotome.io import open_labels, save
from neurotome.io.skeletons_precomputed import (
    SKELETON_FOLDER,
    announce_skeletons,
    decode_skeleton,
    encode_skeleton,
    read_skeletons,
    write_skeletons,
)

TREE = Skeleton.of(
    parents=[-1, 0, 1, 1, -1],
    points_nm=[[30, 6, 4], [60, 12, 8], [90, 6, 4], [60, 0, 16.5], [0, 0, 0]],
    radii_nm=[5, 2, 0.5, 0, 7],
    kinds=[1, 3, 3, 274, 0],
    features={"confidence": np.array([1, 1, 0.25, 0.5, 1]), "jump": np.array([False, False, True, False, False])},
    name="17",
)


def same(one: Skeleton, other: Skeleton) -> None:
    for what in ("ids", "parents", "points_nm", "radii_nm", "kinds"):
        assert np.array_equal(getattr(one, what), getattr(other, what)), what


def test_skeletons_come_back(tmp_path: Path) -> None:
    other = TREE.take(np.array([0, 1, 3]))
    files = write_skeletons(tmp_path / "s", {2**64 - 1: other, 17: TREE}, voxel_nm=(30, 6, 4), features=["confidence", "jump"])
    assert [file.name for file in files] == ["17", str(2**64 - 1)]
    found = read_skeletons(tmp_path / "s")
    assert list(found) == [17, 2**64 - 1]
    same(found[17], TREE)
    assert found[17].features["confidence"].tolist() == [1, 1, 0.25, 0.5, 1]
    assert found[17].features["jump"].tolist() == [0, 0, 1, 0, 0]
    assert found[17].name == "17"
    assert found[2**64 - 1].points_nm.tolist() == other.points_nm.tolist()
    assert list(read_skeletons(tmp_path / "s", [17])) == [17]
    write_skeletons(tmp_path / "s", {3: TREE}, voxel_nm=(30, 6, 4), features=["confidence", "jump"])
    assert list(read_skeletons(tmp_path / "s")) == [3, 17, 2**64 - 1]


def test_bytes_are_those_of_neuroglancer_itself() -> None:
    class Source(neuroglancer.skeleton.SkeletonSource):
        def __init__(self) -> None:
            super().__init__(neuroglancer.CoordinateSpace(names=["x", "y", "z"], units="nm", scales=[1, 1, 1]))
            for name in ("radius", "kind"):
                self.vertex_attributes[name] = neuroglancer.skeleton.VertexAttributeInfo(np.float32, 1)

    theirs = neuroglancer.skeleton.Skeleton(
        vertex_positions=TREE.points_nm[:, ::-1],
        edges=[[1, 0], [2, 1], [3, 1]],
        vertex_attributes={"radius": TREE.radii_nm, "kind": TREE.kinds},
    )
    assert encode_skeleton(TREE) == theirs.encode(Source())


def test_the_info_says_what_the_format_asks_for(tmp_path: Path) -> None:
    write_skeletons(tmp_path, {}, voxel_nm=(30, 6, 4), features=["confidence"])
    info = json.loads((tmp_path / "info").read_text())
    assert info["@type"] == "neuroglancer_skeletons"
    assert info["transform"] == [1, 0, 0, 2, 0, 1, 0, 3, 0, 0, 1, 15]
    attributes = [(a["id"], a["data_type"], a["num_components"]) for a in info["vertex_attributes"]]
    assert attributes == [("radius", "float32", 1), ("kind", "float32", 1), ("confidence", "float32", 1)]


def test_beside_a_label_volume(tmp_path: Path) -> None:
    path = tmp_path / "labels.precomputed"
    save(Labels(np.ones((4, 8, 8), np.uint64), Grid((4, 8, 8), (30, 6, 4))), path)
    write_skeletons(path / SKELETON_FOLDER, {17: TREE}, voxel_nm=(30, 6, 4))
    announce_skeletons(path)
    assert json.loads((path / "info").read_text())["skeletons"] == "skeletons"
    same(read_skeletons(path / SKELETON_FOLDER)[17], TREE)
    assert open_labels(path).grid.voxel_nm == (30, 6, 4)


def test_files_of_other_programs_with_a_transform_and_other_values() -> None:
    """Voxel coordinates scaled by 10, edges towards the tips, a first vertex that is no root, two components per vertex."""
    info = {
        "transform": [10, 0, 0, 1, 0, 10, 0, 2, 0, 0, 10, 3],
        "vertex_attributes": [
            {"id": "radius", "data_type": "float32", "num_components": 1},
            {"id": "pair", "data_type": "int16", "num_components": 2},
        ],
    }
    content = (
        np.array([3, 2], "<u4").tobytes() + np.arange(9).astype("<f4").tobytes() + np.array([[2, 1], [1, 0]], "<u4").tobytes()
    )
    content += np.array([1, 2, 3], "<f4").tobytes() + np.arange(6).astype("<i2").tobytes()
    found = decode_skeleton(content, info, "a")
    assert found.parents.tolist() == [-1, 1, 2]
    assert found.points_nm.tolist() == [[23, 12, 1], [53, 42, 31], [83, 72, 61]]
    assert found.radii_nm == pytest.approx([10, 20, 30])
    assert found.features["pair"].tolist() == [[0, 1], [2, 3], [4, 5]]


def test_damage_is_named(tmp_path: Path) -> None:
    write_skeletons(tmp_path, {17: TREE})
    whole = (tmp_path / "17").read_bytes()
    for content, message in [(whole[:-1], "cut off"), (whole + b"1", "cut off"), (b"", "cut off"), (whole[:7], "cut off")]:
        (tmp_path / "17").write_bytes(content)
        with pytest.raises(FormatError, match=rf"17' is {message}"):
            read_skeletons(tmp_path)
    no_values = {"vertex_attributes": [], "transform": [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0]}
    loop = np.array([3, 3], "<u4").tobytes() + bytes(36) + np.array([0, 1, 1, 2, 2, 0], "<u4").tobytes()
    with pytest.raises(FormatError, match="'a' has a loop"):
        decode_skeleton(loop, no_values, "a")
    with pytest.raises(FormatError, match="edge to vertex 9 of 3"):
        decode_skeleton(loop[:-4] + np.array([9], "<u4").tobytes(), no_values, "a")
    for info in ("", "{}", '{"@type": "neuroglancer_legacy_mesh"}', '{"@type": "neuroglancer_skeletons", "sharding": {}}'):
        (tmp_path / "info").write_text(info)
        with pytest.raises(FormatError):
            read_skeletons(tmp_path)
    with pytest.raises(FormatError, match="cannot be read"):
        write_skeletons(tmp_path, {})
        read_skeletons(tmp_path, [99])


def test_what_cannot_be_written(tmp_path: Path) -> None:
    for label in (0, -1, 2**64):
        with pytest.raises(InputError, match="the id of an object"):
            write_skeletons(tmp_path, {label: TREE})
    with pytest.raises(UnknownNameError, match="did you mean 'confidence'"):
        write_skeletons(tmp_path, {1: TREE}, features=["confidenc"])


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32 - 1), st.integers(1, 40))
def test_any_forest_comes_back_with_its_roots(tmp_path: Path, seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    parents = [-1, *[int(rng.integers(-1, i)) for i in range(1, n)]]
    points = rng.integers(-1000, 1000, (n, 3)).astype(float)
    tree = Skeleton.of(parents, points, rng.integers(0, 9, n), rng.integers(0, 300, n))
    write_skeletons(tmp_path, {1: tree}, voxel_nm=(10, 10, 10))
    same(read_skeletons(tmp_path)[1], tree)
