import json
import shutil

import numpy as np
import pytest

from neurotome.core import ShapeError
from neurotome.report.occupancy3d import cube_faces, occupancy_figure, shown_box


def grids():
    truth, prediction = np.zeros((16, 16, 16), bool), np.zeros((16, 16, 16), bool)
    truth[8, 8, 2:10] = True
    prediction[8, 8, 4:12] = True
    return truth, prediction


def volume(places, triangles):
    a, b, c = np.moveaxis(places[:, ::-1][triangles].astype(float), 1, 0)
    return np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6


def test_the_faces_of_voxels_enclose_them():
    voxels = np.random.default_rng(0).random((6, 6, 6)) < 0.4
    places, triangles, shades = cube_faces(voxels, voxels)
    assert volume(places, triangles) == pytest.approx(voxels.sum())
    assert len(shades) == len(triangles)
    padded = np.pad(voxels, 1).astype(int)
    assert len(triangles) == 2 * sum(np.abs(np.diff(padded, axis=axis)).sum() for axis in range(3))


def test_faces_between_voxels_of_two_kinds_are_left_out():
    truth, prediction = grids()
    together, alone = cube_faces(truth & prediction, truth | prediction)[1], cube_faces(truth & prediction, truth & prediction)[1]
    assert len(alone) - len(together) == 4
    assert len(together) == 2 * 4 * 6


def test_the_legend_says_how_many_and_how_well():
    figure = json.loads(occupancy_figure(*grids(), title="neuron 7").to_json())
    assert [trace["name"] for trace in figure["data"]] == ["6 voxels in both", "2 voxels missed", "2 voxels added"]
    assert figure["layout"]["legend"]["title"]["text"] == "<b>IoU 0.600   F1 0.750</b>"
    assert figure["layout"]["title"]["text"] == "neuron 7"
    low, high = figure["layout"]["scene"]["xaxis"]["range"]
    assert (low, high) == (1, 13)
    ratio = figure["layout"]["scene"]["aspectratio"]
    assert ratio["x"] / ratio["y"] == pytest.approx(12 / 3)


def test_the_box_has_a_border_of_a_tenth():
    truth, _ = grids()
    assert shown_box(truth).tolist() == [[7.2, 7.2, 1.2], [9.8, 9.8, 10.8]]
    assert shown_box(np.zeros((4, 4, 4), bool)).tolist() == [[0, 0, 0], [4, 4, 4]]


def test_empty_grids_are_drawn_and_unequal_ones_refused():
    empty = np.zeros((8, 8, 8), bool)
    assert occupancy_figure(empty, empty).data[0].name == "0 voxels in both"
    with pytest.raises(ShapeError, match="the same shape"):
        occupancy_figure(empty, grids()[0])


@pytest.mark.browser
def test_a_browser_draws_the_three_kinds(tmp_path):
    playwright = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no chromium on this machine")
    occupancy_figure(*grids()).write_html(tmp_path / "figure.html", include_plotlyjs=True)
    flags = (
        "--no-sandbox --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync "
        "--use-gl=angle --use-angle=swiftshader"
    )
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=chromium, args=flags.split())
        page = browser.new_page(viewport={"width": 480, "height": 360})
        page.goto((tmp_path / "figure.html").as_uri())
        # Software rendering takes its time.
        drawn = any(_blue_and_red(page, tmp_path / "figure.png") for _ in range(40))
        browser.close()
    assert drawn


def _blue_and_red(page, path):
    """Whether both are seen below the legend; waits a little where they are not."""
    from PIL import Image

    page.screenshot(path=path)
    red, _, blue = np.moveaxis(np.asarray(Image.open(path).convert("RGB")).astype(int)[110:], -1, 0)
    found = (blue - red > 60).sum() > 100 and (red - blue > 60).sum() > 100
    if not found:
        page.wait_for_timeout(500)
    return found
