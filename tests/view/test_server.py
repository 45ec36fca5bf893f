from __future__ import annotations

import io
import json
import socket
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neurotome.core import InputError
from neurotome.report import css_colour, error_link, read_results
from neurotome.view import RunView, open_view

pytest.importorskip("neuroglancer")


@pytest.fixture
def view(finished_run: Path) -> Iterator[RunView]:
    opened = open_view(finished_run, block=False)
    yield opened
    opened.stop()


def test_the_state_is_saved_and_the_client_is_served_from_here(finished_run: Path, view: RunView) -> None:
    names = [layer["name"] for layer in json.loads((finished_run / "view.json").read_text())["layers"]]
    assert names == ["EM", "probability", "truth", "predicted", "errors"]
    page = urllib.request.urlopen(view.url, timeout=10).read().decode()
    assert "main" in page and "http" not in page.replace("http-equiv", "")


def test_voxels_are_served(finished_run: Path, view: RunView) -> None:
    source = next(x for x in view.viewer.state.to_json()["layers"] if x["name"] == "predicted")["source"][0]["url"]
    base, key = view.url.split("/v/")[0], source.rpartition("/")[2]
    reply = urllib.request.urlopen(f"{base}/neuroglancer/npz/{key}/1,1,1/90,80,1/91,81,2", timeout=10).read()
    served = np.load(io.BytesIO(zlib.decompress(reply))).ravel().tolist()
    neurons = read_results(finished_run).neurons
    assert neurons is not None and served == [int(np.asarray(neurons.data[1, 80, 90]))] == [116]


def test_a_port_in_use_is_named(finished_run: Path) -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        with pytest.raises(InputError, match=f"Port {port} on 127.0.0.1.*--port"):
            open_view(finished_run, port=port, block=False)


def test_the_port_asked_for_is_used_and_free_again_afterwards(finished_run: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    for _ in range(2):
        opened = open_view(finished_run, port=port, block=False)
        assert opened.url.startswith(f"http://127.0.0.1:{port}/v/run-")
        opened.stop()


def _share_near(picture: np.ndarray, colour: str, opacity: float, tissue: float) -> float:
    """Share of pixels that show tissue of this grey under a colour."""
    wanted = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) * opacity + tissue * (1 - opacity)
    return float((np.abs(picture.astype(float) - wanted).max(-1) < 40).mean())


@pytest.mark.browser
def test_a_browser_shows_tissue_and_neurons(view: RunView, page: Any, rendered: Callable[..., np.ndarray]) -> None:
    hosts: set[str] = set()
    page.on("request", lambda r: hosts.add(r.url.split("/")[2]) if r.url.startswith("http") else None)
    page.goto(view.url)
    with view.viewer.txn() as state:
        state.layout = "xy"
        state.cross_section_scale = 0.2
    picture = rendered(view.viewer, page)
    assert hosts == {view.url.split("/")[2]}
    # Cells 6, 7, 10 and 11 surround the middle; their tissue is near white once its grey values are stretched.
    for label in (106, 107, 110, 111):
        assert _share_near(picture, css_colour(label), 0.5, 215) > 0.02


def test_a_link_of_the_error_table_moves_the_viewer(finished_run: Path, view: RunView) -> None:
    results = read_results(finished_run)
    split = next(row for row in results.errors if row["kind"] == "split")
    path = error_link(finished_run, results.record, split).rpartition(" ")[2]
    base = view.url.split("/v/")[0]
    with urllib.request.urlopen(base + path, timeout=10) as reply:
        assert reply.url == view.url
    assert view.viewer.state.position.tolist() == [split[axis] + 0.5 for axis in "xyz"]
    assert set(view.viewer.state.layers["predicted"].layer.segments) >= {116, 2**40 + 7}
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(base + path.rpartition("/")[0] + "/99,0,0", timeout=10)
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(base + path.replace("/at/run-", "/at/run-0"), timeout=10)
