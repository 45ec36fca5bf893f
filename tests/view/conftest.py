"""The same finished run that the tests of the report look at, and a browser to look at it with."""

from __future__ import annotations

import importlib.util
import io
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

_spec = importlib.util.spec_from_file_location("report_conftest", Path(__file__).parents[1] / "report" / "conftest.py")
assert _spec is not None and _spec.loader is not None
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)

finished_run = _module.finished_run

FLAGS = "--no-sandbox --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync"
GL_FLAGS = "--use-gl=angle --use-angle=swiftshader"


@pytest.fixture
def page() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no chromium on this machine")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=[*FLAGS.split(), *GL_FLAGS.split()])
        yield browser.new_page(viewport={"width": 640, "height": 480})
        browser.close()


@pytest.fixture
def rendered() -> Callable[[Any, Any], np.ndarray]:
    return _rendered


def _rendered(viewer: Any, page: Any) -> np.ndarray:
    """What the viewer shows once all data have arrived, as (y, x, 3)."""
    page.wait_for_function("window.viewer && viewer.layerManager.managedLayers.length && viewer.isReady()", timeout=60_000)
    for _ in range(10):
        picture = _screenshot(viewer, page)
        # A picture asked for between two frames is black: ask again.
        if picture.std() > 5:
            return picture
        page.wait_for_timeout(500)
    raise AssertionError("the viewer stays black")


def _screenshot(viewer: Any, page: Any) -> np.ndarray:
    import imageio.v3 as iio

    found: dict[str, Any] = {}
    waiting = threading.Thread(target=lambda: found.update(reply=viewer.screenshot()), daemon=True)
    waiting.start()
    for _ in range(240):
        if not waiting.is_alive():
            break
        # Playwright moves the page on only while it is spoken to.
        page.wait_for_timeout(250)
    assert "reply" in found, "no picture after 60 s"
    return iio.imread(io.BytesIO(found["reply"].screenshot.image))[..., :3]
