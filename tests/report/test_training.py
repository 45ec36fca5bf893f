"""The page of a training that really ran, on a few pixels."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pytest
from PIL import Image as Picture

from neurotome import boundary
from neurotome.core import Grid, Image, Labels, RunFolderError
from neurotome.io import save
from neurotome.report import write_training_report


@pytest.fixture(scope="module")
def training(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six steps in three epochs on walls between cells, sections 2 to 5 held back."""
    folder = tmp_path_factory.mktemp("training")
    y, x = np.mgrid[:64, :64]
    wall = np.repeat(((y % 16 < 3) | (x % 16 < 3))[None], 6, axis=0)
    grey = np.where(wall, 60, 180) + np.random.default_rng(0).normal(0, 12, wall.shape)
    grid = Grid(wall.shape, (30, 6, 6))
    save(Image(grey.clip(0, 255).astype(np.uint8), grid), folder / "tissue.tif")
    save(Labels(wall.astype(np.uint8), grid), folder / "walls.tif")
    volume = {"image": folder / "tissue.tif", "truth": folder / "walls.tif", "truth_is": "membrane"}
    config = boundary.TrainConfig(
        name="toy <network>",
        volumes=[{**volume, "train": "0:2", "validate_on": "2:6"}],
        network={"widths": [4, 8]},
        crop=32,
        fit={"steps": 6, "validate_every": 2, "batch": 1, "warmup": 0, "average": 0, "loggers": ["csv"]},
    )
    boundary.train(config, folder / "model")
    return folder / "model"


def _carried(page: str, kind: str) -> list[bytes]:
    return [base64.b64decode(found) for found in re.findall(rf"data:image/{kind};base64,([^\"]+)", page)]


def test_the_page_says_what_was_trained_and_fetches_nothing(training: Path) -> None:
    path = write_training_report(training)
    page = path.read_text(encoding="utf-8")
    assert path == training / "report.html"
    assert "toy &lt;network&gt;" in page and "<network>" not in page
    assert "tissue.tif sections 0:2" in page and "tissue.tif sections 2:6" in page
    assert re.search(r"walls.tif</dt><dd><span class=\"note\">sha256 [0-9a-f]{12}<", page)
    assert "highest V_rand of 4 whole validation sections" in page and "neurotome boundary predict IMAGE --model model" in page
    assert not re.search(r"(src|href)=\"(?!data:|#)", page)
    assert "url(" not in page and "@import" not in page and "<script" not in page


def test_curves_have_a_point_for_each_epoch(training: Path) -> None:
    page = write_training_report(training).read_text(encoding="utf-8")
    lines = dict(re.findall(r"points=\"([^\"]+)\"><title>([^<]+)", page))
    assert sorted(lines.values()) == ["V_info", "V_rand", "training", "validation"]
    assert all(len(points.split()) == 3 for points in lines)


def test_each_named_section_has_a_row_of_four_and_an_animation(training: Path) -> None:
    page = write_training_report(training).read_text(encoding="utf-8")
    shown = re.findall(r"alt=\"(\w+) of section (\d)\"", page)
    assert shown == [(what, z) for z in "245" for what in ("Input", "Output", "Target", "Error")]
    pictures = [imageio.imread(encoded) for encoded in _carried(page, "webp")]
    output = imageio.imread(training / "frames" / "section002_epoch0002.png").astype(int)
    target = imageio.imread(training / "pictures" / "section002_target.png").astype(int)
    # WebP loses a little.
    assert np.abs(pictures[1][..., 0] - output).mean() < 6
    off, colour = (output - target) / 255, pictures[3].astype(int)
    high, low = off > 0.2, off < -0.2
    assert (colour[..., 0] - colour[..., 2])[high].mean() > 20 > -20 > (colour[..., 0] - colour[..., 2])[low].mean()
    animations = [Picture.open(io.BytesIO(encoded)) for encoded in _carried(page, "gif")]
    assert [a.n_frames for a in animations] == [3, 3, 3]


def test_a_folder_without_a_training_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match=r"no run\.json"):
        write_training_report(tmp_path)
