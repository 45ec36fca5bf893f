"""What `neurotome export` writes, as neuroglancer itself sees it."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neurotome.flows import export
from neurotome.io import open_image, open_labels
from neurotome.report import css_colour, read_results
from neurotome.view.volumes import space

neuroglancer = pytest.importorskip("neuroglancer")


@pytest.fixture
def viewer(finished_run: Path, tmp_path: Path) -> Iterator[Any]:
    """A viewer whose server gives out the export of a run as files."""
    from neuroglancer import server
    from tornado.web import StaticFileHandler

    export(str(finished_run), tmp_path / "out.precomputed")
    neuroglancer.set_server_bind_address("127.0.0.1", 0)
    viewer = neuroglancer.Viewer()
    address = viewer.get_viewer_url().split("/v/")[0] + "/export/"
    server.global_server.app.add_handlers(
        ".*", [("/export/(.*)", StaticFileHandler, {"path": str(tmp_path / "out.precomputed")})]
    )
    with viewer.txn() as state:
        state.dimensions = space(open_image(tmp_path / "out.precomputed" / "image").grid)
        state.layers.append(name="image", layer=neuroglancer.ImageLayer(source=f"precomputed://{address}image"))
        layer = neuroglancer.SegmentationLayer(source=f"precomputed://{address}labels", not_selected_alpha=0.5)
        state.layers.append(name="labels", layer=layer)
    yield viewer
    neuroglancer.server.stop()


def share_of(picture: np.ndarray, label: int, tissue: float | None) -> float:
    """Share of pixels in the colour of a label, laid half over tissue of a grey value, or shaded."""
    colour = np.array([int(css_colour(label)[i : i + 2], 16) for i in (1, 3, 5)], float)
    if tissue is not None:
        return float((np.abs(picture - (colour + tissue) / 2).max(-1) < 40).mean())
    lengths = np.linalg.norm(picture, axis=-1) * np.linalg.norm(colour)
    return float((((picture @ colour) > 0.99 * lengths) & (lengths > 0) & (picture.max(-1) > 60)).mean())


@pytest.mark.browser
def test_sections_have_tissue_and_labels(viewer: Any, page: Any, rendered: Callable[..., np.ndarray]) -> None:
    page.goto(viewer.get_viewer_url())
    with viewer.txn() as state:
        state.layout = "xy"
        state.cross_section_scale = 0.2
        state.position = [48.5, 48.5, 4.5]
    picture = rendered(viewer, page).astype(float)
    for label in (106, 107, 110, 111):
        assert share_of(picture, label, 170) > 0.02


@pytest.mark.browser
def test_surfaces_are_visible_where_their_objects_are(viewer: Any, page: Any, rendered: Callable[..., np.ndarray]) -> None:
    page.goto(viewer.get_viewer_url())
    with viewer.txn() as state:
        state.layout = "3d"
        state.position = [48.5, 48.5, 4.5]
        state.projection_scale = 120
        state.layers["labels"].layer.segments = [106, 111]
        state.show_slices = False
        state.show_axis_lines = False
        state.projection_background_color = "#000000"
    picture = rendered(viewer, page).astype(float)
    assert share_of(picture, 106, None) > 0.01 and share_of(picture, 111, None) > 0.01


def test_the_export_of_a_run_has_its_image_and_its_neurons(finished_run: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(finished_run, tmp_path / "run"))
    assert export(str(run), tmp_path / "out", meshes=False) == [tmp_path / "out" / "image", tmp_path / "out" / "labels"]
    results = read_results(run)
    assert np.array_equal(open_image(tmp_path / "out" / "image").read(), results.image.read())
    assert np.array_equal(open_labels(tmp_path / "out" / "labels").read(), results.neurons.read())
    assert not (tmp_path / "out" / "labels" / "mesh").exists()
