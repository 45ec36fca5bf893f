import json
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neurotome.core import Box, Grid, Image, Labels, Probability
from neurotome.io import open_image, open_labels, save
from neurotome.report import css_colour
from neurotome.view import RunView, build_state, open_view
from neurotome.view.stored import Storage, coarse_boxes, labels_for_surfaces, pyramid_of

pytest.importorskip("neuroglancer")

GRID = Grid((6, 80, 640), (30.0, 6.0, 8.0), (60.0, 12.0, 4.0))


@pytest.fixture
def ids() -> np.ndarray:
    return np.kron(np.arange(1, 65, dtype=np.uint64).reshape(2, 4, 8), np.ones((3, 20, 80), np.uint64))


@pytest.fixture
def pyramid(tmp_path: Path, ids: np.ndarray) -> Path:
    save(Labels(ids, GRID), tmp_path / "a.ome.zarr")
    return tmp_path / "a.ome.zarr"


def test_a_volume_with_levels_is_served_as_it_is_stored(pyramid: Path) -> None:
    assert pyramid_of(open_labels(pyramid)) == pyramid
    assert pyramid_of(open_image(pyramid)) == pyramid


def test_anything_else_is_not(pyramid: Path, tmp_path: Path, ids: np.ndarray) -> None:
    whole = open_labels(pyramid)
    assert pyramid_of(whole.crop(Box((0, 0, 0), (6, 80, 600)))) is None
    assert pyramid_of(open_labels(pyramid / "1")) is None
    assert pyramid_of(Labels(ids, GRID)) is None
    save(whole, tmp_path / "a.h5")
    assert pyramid_of(open_labels(tmp_path / "a.h5")) is None
    save(Image(ids.astype(np.float16), GRID), tmp_path / "half.ome.zarr")
    assert pyramid_of(open_image(tmp_path / "half.ome.zarr")) is None
    save(whole.crop(Box((0, 0, 0), (6, 80, 512))), tmp_path / "small.ome.zarr")
    assert pyramid_of(open_labels(tmp_path / "small.ome.zarr")) is None


def test_the_origin_is_taken_back(pyramid: Path) -> None:
    source = Storage("http://here/", {"a": pyramid}).source("a", GRID).to_json()
    assert source["url"] == "zarr3://http://here/a/"
    # The client starts voxel 0 half a voxel before its centre; layers of a run start it at 0.
    assert [row[-1] for row in source["transform"]["matrix"]] == [0.5 - 2, 0.5 - 2, 0.5 - 0.5]


def test_surfaces_are_made_of_a_coarser_level(pyramid: Path) -> None:
    coarse = labels_for_surfaces(pyramid)
    assert coarse.grid.shape == (6, 40, 320)
    box = coarse_boxes({7: Box((1, 3, 5), (6, 80, 639))}, GRID, coarse.grid)[7]
    assert box == Box((1, 1, 2), (6, 40, 320))


@pytest.fixture
def view(finished_run: Path, pyramid: Path, tmp_path: Path, ids: np.ndarray) -> Iterator[RunView]:
    run = tmp_path / "run"
    run.mkdir()
    shutil.copytree(pyramid, run / "neurons.ome.zarr")
    save(Image((ids % 2 * 100 + 60).astype(np.uint8), GRID), tmp_path / "image.ome.zarr")
    record = json.loads((finished_run / "run.json").read_text())
    config = {"image": str(tmp_path / "image.ome.zarr"), "truth": None, "voxel_nm": GRID.voxel_nm}
    (run / "run.json").write_text(json.dumps({**record, "config": config}))
    opened = open_view(run, block=False)
    yield opened
    opened.stop()


def test_files_are_given_out_whole_and_in_parts(view: RunView, pyramid: Path) -> None:
    sources = {x["name"]: x["source"] for x in view.viewer.state.to_json()["layers"]}
    url = sources["predicted"][0]["url"].removeprefix("zarr3://")
    assert urllib.request.urlopen(url + "zarr.json", timeout=10).read() == (pyramid / "zarr.json").read_bytes()
    shard = pyramid / "0" / "c" / "0" / "0" / "0"
    request = urllib.request.Request(url + "0/c/0/0/0", headers={"Range": "bytes=-20"})
    with urllib.request.urlopen(request, timeout=10) as reply:
        assert reply.status == 206 and reply.read() == shard.read_bytes()[-20:]
        assert reply.headers["Access-Control-Allow-Origin"] == "*"
    for wrong in ("0/c/9/9/9", "../run.json", "..%2frun.json"):
        with pytest.raises(urllib.error.HTTPError, match=r"40[34]"):
            urllib.request.urlopen(url + wrong, timeout=10)


def test_surfaces_come_from_here(view: RunView) -> None:
    second = view.viewer.state.layers["predicted"].layer.source[1].to_json()
    assert second["url"].startswith("python://") and second["enableDefaultSubsources"] is False
    assert second["subsources"] == {"meshes": True} or second["subsources"] == {"meshes": {"enabled": True}}


def test_channels_are_an_axis_of_the_layer(view: RunView, tmp_path: Path) -> None:
    names = ("affinity:0,1,0", "affinity:0,0,1")
    save(Probability(np.zeros((2, *GRID.shape), np.uint8), GRID, names), tmp_path / "run" / "boundary.ome.zarr")
    storage = Storage("http://here/", {"probability": tmp_path / "run" / "boundary.ome.zarr"})
    layer = build_state(tmp_path / "run", storage=storage).layers["probability"].layer.to_json()
    assert layer["localPosition"] == [1] and list(layer["localDimensions"]) == ["c'"]
    assert layer["source"][0]["url"] == "zarr3://http://here/probability/"
    assert len(layer["source"][0]["transform"]["matrix"]) == 4
    chosen = build_state(tmp_path / "run", storage=storage, channels=names[1:]).layers["probability"].layer
    assert "localPosition" not in chosen.to_json()


@pytest.mark.browser
def test_a_browser_reads_shards_of_the_level_it_shows(view: RunView, page: Any, rendered: Callable[..., np.ndarray]) -> None:
    fetched: list[str] = []
    page.on("request", lambda r: fetched.append(r.url))
    with view.viewer.txn() as state:
        state.layout = "xy"
        state.cross_section_scale = 2.0
        state.layers["predicted"].layer.not_selected_alpha = state.layers["predicted"].layer.selected_alpha = 1
    page.goto(view.url)
    picture = rendered(view.viewer, page)
    assert {u.partition("/predicted/")[2][:1] for u in fetched if "/predicted/" in u and "/c/" in u} == {"1"}
    assert not [u for u in fetched if "/neuroglancer/npz/" in u]
    # Eight cells of 80 x 20 voxels stand side by side in the middle section, four below each other.
    for label in range(33, 65):
        colour = [int(css_colour(label)[i : i + 2], 16) for i in (1, 3, 5)]
        assert (np.abs(picture.astype(int) - colour).max(-1) < 3).mean() > 0.0005
