"""A tracing in the viewer: its layers, its trees as the client gets them, and what a browser shows of them."""

from __future__ import annotations

import json
import shutil
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from neurotome.core import Grid, Skeleton
from neurotome.flows import TraceJob, trace
from neurotome.report import MERGE, SPLIT, error_link, read_results
from neurotome.view import RunView, build_state, open_view
from neurotome.view.skeletons import skeleton_source, tree_source

pytest.importorskip("neuroglancer")

REFERENCE, TRACED = "#3bc9db", "#ff922b"


@pytest.fixture(scope="session")
def traced(neurite_files: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished tracing whose truth has a branch that is nowhere in the stack, and lacks one that is."""
    folder = tmp_path_factory.mktemp("traced")
    lines = (neurite_files / "truth.swc").read_text().splitlines()
    nodes = [line for line in lines if line[0].isdigit()]
    (folder / "truth.swc").write_text("\n".join(["# unit: um", *nodes, "90001 0 10 5 5 1 -1", "90002 0 10 5 35 1 90001", ""]))
    stack, given = (str(neurite_files / name) for name in ("stack.ome.tif", "map.ome.tif"))
    trace(TraceJob(stack, probability=given, truth=str(folder / "truth.swc")), folder / "out")
    return folder / "out"


@pytest.fixture
def view(traced: Path) -> Iterator[RunView]:
    opened = open_view(traced, block=False)
    yield opened
    opened.stop()


def layers(run: Path, **options: Any) -> dict[str, dict[str, Any]]:
    state = json.loads(json.dumps(build_state(run, **options).to_json(), default=lambda volume: volume.token))
    return {layer["name"]: layer for layer in state["layers"]}


def test_layers_of_a_tracing(traced: Path) -> None:
    found = layers(traced)
    assert {name: layer["type"] for name, layer in found.items()} == {
        "image": "image", "probability": "image", "reference": "segmentation", "trees": "segmentation", "errors": "annotation",
    }  # fmt: skip
    results = read_results(traced)
    assert results.trees is not None and results.reference is not None
    assert found["trees"]["segments"] == [str(i + 1) for i in range(len(results.trees.roots))]
    assert found["reference"]["segments"] == [str(i + 1) for i in range(len(results.reference.roots))]
    assert found["reference"]["segmentDefaultColor"] == REFERENCE and found["trees"]["segmentDefaultColor"] == TRACED
    assert found["probability"].get("visible") is False


def test_a_map_that_was_given_is_shown_and_without_reference_each_tree_has_its_colour(traced: Path, tmp_path: Path) -> None:
    given = read_results(traced).probability
    assert given is not None and given.channels == ("probability",) and given.grid == read_results(traced).grid
    run = Path(shutil.copytree(traced, tmp_path / "run"))
    record = json.loads((run / "run.json").read_text())
    record["config"] |= {"probability": None, "truth": None}
    (run / "run.json").write_text(json.dumps(record))
    found = layers(run)
    assert "probability" not in found and "reference" not in found and "segmentDefaultColor" not in found["trees"]


def test_missing_and_extra_are_points_with_their_length(traced: Path) -> None:
    table = pd.read_csv(traced / "errors.csv")
    assert (table["kind"] == "missing").any()
    points = layers(traced)["errors"]["annotations"]
    assert len(points) == len(table)
    for point, row in zip(points, table.to_dict("records"), strict=True):
        assert point["point"] == [row[axis] + 0.5 for axis in "xyz"]
        assert point["props"] == [MERGE if row["kind"] == "missing" else SPLIT]
        assert point["description"].startswith(f"{row['rank']} {row['kind']}: {row['length_um']:.1f} µm of ")
    missing = next(p for p in points if " missing: " in p["description"])
    assert "of reference tree" in missing["description"] and "µm from the other" in missing["description"]


def test_looking_at_a_place_moves_and_keeps_the_trees(traced: Path) -> None:
    state = build_state(traced, at=(7, 30, 40)).to_json()
    assert state["position"] == [40.5, 30.5, 7.5] and state["crossSectionScale"] == 0.5
    assert layers(traced, at=(7, 30, 40))["trees"]["segments"] == layers(traced)["trees"]["segments"]


def line_of_three() -> Skeleton:
    points = [[1000, 2000, 3000], [1000, 2000, 3500], [1000, 2500, 3500]]
    return Skeleton.of([-1, 0, 1], points, radii_nm=[250.0, 500.0, 0.0])


def decoded(encoded: bytes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices x, y, z, edges and radii of a skeleton as the client gets it."""
    vertices, edges = np.frombuffer(encoded, "<u4", 2).tolist()
    at, end = 8 + 12 * vertices, 8 + 12 * vertices + 8 * edges
    return (
        np.frombuffer(encoded[8:at], "<f4").reshape(-1, 3),
        np.frombuffer(encoded[at:end], "<u4").reshape(-1, 2),
        np.frombuffer(encoded[end:], "<f4"),
    )


def test_nodes_are_voxels_of_the_volume_with_centres_half_a_voxel_inside() -> None:
    grid = Grid((10, 20, 30), (1000.0, 500.0, 250.0), (1000.0, 0.0, 500.0))
    source = tree_source(line_of_three(), grid, "trees")
    vertices, edges, radii = decoded(source.get_skeleton(1).encode(source))
    assert vertices.tolist() == [[10.5, 4.5, 0.5], [12.5, 4.5, 0.5], [12.5, 5.5, 0.5]]
    assert edges.tolist() == [[1, 0], [2, 1]] and radii.tolist() == [250, 500, 0]


def test_each_tree_has_its_number_and_others_are_drawn_as_nothing() -> None:
    two = Skeleton.of([-1, 0, -1], [[0, 0, 0], [0, 0, 9], [5, 5, 5]])
    source = tree_source(two, Grid((9, 9, 9), (1, 1, 1)), "trees")
    assert [len(source.get_skeleton(i).vertex_positions) for i in (1, 2)] == [2, 1]
    assert source.get_skeleton(3) is None and source.get_skeleton(0) is None
    assert source.get_skeleton(2).edges.shape == (0, 2)

    def missing(number: int) -> Skeleton:
        from neurotome.core import MissingFileError

        raise MissingFileError(f"no {number}")

    assert skeleton_source(missing, Grid((9, 9, 9), (1, 1, 1)), "s").get_skeleton(4) is None


def test_trees_are_served(traced: Path, view: RunView) -> None:
    trees = read_results(traced).trees
    assert trees is not None
    source = next(x for x in view.viewer.state.to_json()["layers"] if x["name"] == "trees")["source"]
    address = source if isinstance(source, str) else source["url"] if isinstance(source, dict) else source[0]["url"]
    base, key = view.url.split("/v/")[0], address.rpartition("/")[2]
    reply = urllib.request.urlopen(f"{base}/neuroglancer/skeleton/{key}/1", timeout=10).read()
    vertices, edges, _ = decoded(reply)
    assert len(vertices) == (trees.trees == 0).sum() and len(edges) == len(vertices) - 1


def test_a_link_of_an_error_moves_the_viewer(traced: Path, view: RunView) -> None:
    results = read_results(traced)
    row = results.errors[0]
    path = error_link(traced, results.record, row).rpartition(" ")[2]
    with urllib.request.urlopen(view.url.split("/v/")[0] + path, timeout=10) as reply:
        assert reply.url == view.url
    assert view.viewer.state.position.tolist() == [row[axis] + 0.5 for axis in "xyz"]


def coloured(picture: np.ndarray, colour: str) -> int:
    """How many pixels are nearly of this colour."""
    wanted = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
    return int((np.abs(picture.astype(float) - wanted).max(-1) < 30).sum())


@pytest.mark.browser
def test_a_browser_shows_trees_reference_and_errors(view: RunView, page: Any, rendered: Callable[..., np.ndarray]) -> None:
    page.goto(view.url)
    with view.viewer.txn() as state:
        state.layout = "3d"
    both = rendered(view.viewer, page)
    assert coloured(both, REFERENCE) > 100 and coloured(both, TRACED) > 100 and coloured(both, MERGE) > 20
    with view.viewer.txn() as state:
        state.layers["reference"].visible = False
    alone = rendered(view.viewer, page)
    assert coloured(alone, REFERENCE) < 20 and coloured(alone, TRACED) > coloured(both, TRACED)


@pytest.mark.browser
def test_a_tree_runs_where_the_stack_is_bright(
    traced: Path, view: RunView, page: Any, rendered: Callable[..., np.ndarray]
) -> None:
    """One section, closely, at a node in the middle of a branch: its line crosses the middle of the picture."""
    results = read_results(traced)
    assert results.trees is not None and results.grid is not None and results.image is not None
    voxels = np.rint(results.trees.points_nm / results.grid.voxel_nm).astype(int)
    inside = np.flatnonzero((results.trees.children == 1) & (results.trees.parents >= 0) & (results.trees.trees == 0))
    values = results.image.read()[tuple(voxels[inside].T)]
    z, y, x = voxels[inside[int(values.argmax())]].tolist()
    page.goto(view.url)
    with view.viewer.txn() as state:
        state.layout = "xy"
        state.position, state.cross_section_scale = [x + 0.5, y + 0.5, z + 0.5], 0.05
        for name in ("reference", "errors"):
            state.layers[name].visible = False
    middle = rendered(view.viewer, page)[200:280, 280:360]
    assert coloured(middle, TRACED) > 5
    with view.viewer.txn() as state:
        state.layers["trees"].visible = False
    middle = rendered(view.viewer, page)[200:280, 280:360]
    assert coloured(middle, TRACED) == 0 and middle.mean() > 120
