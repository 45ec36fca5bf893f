"""A small finished run: 8 x 96 x 96 voxels of tissue made of blocks, segmented with one merge and one split."""

from __future__ import annotations

import csv
import shutil
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from neurotome import io, measure
from neurotome.core import Grid, Image, Labels, Probability, Record

FLAGS = (
    "--no-sandbox --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync "
    "--use-gl=angle --use-angle=swiftshader"
)
SHAPE, VOXEL_NM = (8, 96, 96), (30.0, 6.0, 8.0)
STEPS = {"predict": 61.5, "segment": 2.25}


def make_run_folder(folder: Path, *, truth: bool = True) -> Path:
    """A run as `neurotome reconstruct` leaves it, its inputs beside it."""
    inputs = folder.with_name(folder.name + "-inputs")
    inputs.mkdir(parents=True)
    folder.mkdir(parents=True)
    grid = Grid(SHAPE, VOXEL_NM)
    cells = _cells()
    neurons = _neurons(cells)
    io.save(Image(_tissue(cells), grid, "image"), inputs / "tissue.ome.tif")
    io.save(Labels(cells, grid, name="truth"), inputs / "cells.ome.tif")
    io.save(Labels(neurons, grid, name="neurons"), folder / "neurons.ome.zarr")
    io.save(Probability(_affinities(cells), grid, ("affinity:0,1,0", "affinity:0,0,1")), folder / "boundary.ome.zarr")
    _write_csv(folder / "neurons.csv", _table(neurons, grid))
    if truth:
        _write_scores(folder, Labels(neurons, grid, name="neurons"), Labels(cells, grid, name="truth"))
    _write_record(folder, inputs, truth=truth)
    return folder


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with truth. Shared: tests that change it copy it first."""
    return make_run_folder(tmp_path_factory.mktemp("runs") / "with truth")


def _cells() -> np.ndarray:
    """Columns of 24 x 24 pixels, ids 1 to 16, with a background line of two pixels between them."""
    y, x = np.mgrid[: SHAPE[1], : SHAPE[2]]
    section = ((y // 24) * 4 + x // 24 + 1).astype(np.uint16)
    section[(y % 24 < 2) | (x % 24 < 2)] = 0
    return np.repeat(section[None], SHAPE[0], axis=0)


def _neurons(cells: np.ndarray) -> np.ndarray:
    """The cells under ids of a run, above 32 bit for one, with 1 and 2 merged and 16 split at y = 84."""
    neurons = np.where(cells > 0, cells.astype(np.uint64) + 100, 0)
    neurons[neurons == 102] = 101
    neurons[:, 84:][neurons[:, 84:] == 116] = 2**40 + 7
    return neurons


def _tissue(cells: np.ndarray) -> np.ndarray:
    noise = np.random.default_rng(3).normal(0, 12, cells.shape)
    return np.clip(np.where(cells > 0, 170, 60) + noise, 0, 255).astype(np.uint8)


def _affinities(cells: np.ndarray) -> np.ndarray:
    inside = np.where(cells > 0, 240, 20).astype(np.uint8)
    return np.stack([inside, inside])


def _table(neurons: np.ndarray, grid: Grid) -> list[dict[str, object]]:
    rows = []
    for label in np.unique(neurons)[1:]:
        at = np.argwhere(neurons == label)
        low, high = at.min(0).tolist(), (at.max(0) + 1).tolist()
        row = {"id": int(label), "voxels": len(at), "volume_um3": len(at) * grid.voxel_um3}
        row |= dict(zip(("z0", "y0", "x0", "z1", "y1", "x1"), low + high, strict=True))
        rows.append(row | {"touches_border": True, "sections": SHAPE[0]})
    return rows


def _write_scores(folder: Path, neurons: Labels, truth: Labels) -> None:
    comparison = measure.compare(neurons, truth)
    io.atomic_write_json(folder / "scores.json", measure.comparison_scores(comparison).to_json())
    _write_csv(folder / "errors.csv", measure.error_table(comparison).to_rows())
    _write_csv(folder / "objects.csv", measure.object_table(comparison).to_rows())
    steps = [t / 10 for t in range(1, 10)]
    curve = [{"threshold": t, "adapted_rand_error": 0.1 + t / 10, "voi_split": t, "voi_merge": 1 - t} for t in steps]
    _write_csv(folder / "threshold_curve.csv", curve)


def _write_csv(path: Path, rows: list[dict[str, object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _write_record(folder: Path, inputs: Path, *, truth: bool) -> None:
    config = {
        "image": str(inputs / "tissue.ome.tif"),
        "truth": str(inputs / "cells.ome.tif") if truth else None,
        "voxel_nm": VOXEL_NM,
        "model": "a-network@0123456789ab",
        "method": "agglomerate",
        "threshold": 0.4,
    }
    record = Record("reconstruct", config, {config["image"]: "ab" * 32}, {"python": "3"}, 0, "cpu", STEPS, 1_500_000_000, "done")
    io.atomic_write_json(folder / "run.json", {**asdict(record), "done": list(STEPS), "facts": {"neurons": 17}})


@pytest.fixture(scope="module")
def browser():
    """A headless Chromium, or a skip that says what is missing."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no chromium on this machine")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS.split())
        yield browser
        browser.close()
