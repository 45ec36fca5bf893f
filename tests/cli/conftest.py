import sys

import imageio.v3 as imageio
import numpy as np
import pytest

from neurotome.cli.main import main
from neurotome.core import Grid, Image, Labels
from neurotome.io import save


@pytest.fixture
def cli(monkeypatch, capsys):
    """Run a command as the shell would: (exit code, what it printed, what it complained)."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["neurotome", *map(str, words)])
        try:
            main()
            code = 0
        except SystemExit as stop:
            code = int(stop.code or 0)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


@pytest.fixture(scope="session")
def files(small_phantom, tmp_path_factory):
    """A good image and its truth, and many bad ones."""
    folder = tmp_path_factory.mktemp("files")
    save(small_phantom.image, folder / "image.ome.tif")
    save(small_phantom.neurons, folder / "truth.ome.tif")
    grid = small_phantom.image.grid
    half = Grid((5, *grid.shape[1:]), grid.voxel_nm)
    save(Labels(small_phantom.neurons.read()[:5], half), folder / "truth-short.ome.tif")
    save(Labels(small_phantom.neurons.read(), Grid(grid.shape, (40, 4, 4))), folder / "truth-other-voxel.ome.tif")
    save(Image(np.full(grid.shape, 7, np.uint8), grid), folder / "constant.ome.tif")
    save(Image(small_phantom.image.read(), Grid(grid.shape, (30, 60, 60))), folder / "coarse.ome.tif")
    np.save(folder / "no-units.npy", small_phantom.image.read())
    np.save(folder / "empty.npy", np.zeros((0, 8, 8), np.uint8))
    damaged = bytearray((folder / "image.ome.tif").read_bytes())
    damaged[len(damaged) // 2 : len(damaged) // 2 + 2000] = bytes(2000)
    (folder / "damaged.ome.tif").write_bytes(damaged)
    grey = small_phantom.image.read()
    imageio.imwrite(folder / "rgb.tif", np.stack([grey[0], grey[1], grey[2]], -1))
    imageio.imwrite(folder / "grey-rgb.tif", np.stack([grey[0]] * 3, -1))
    save(Image(grey.astype(np.float32) / 100, grid), folder / "too-bright.h5")
    save(Image(small_phantom.neurons.read().astype(np.float32), grid), folder / "float-labels.h5")
    for name, sections in {"gap": (1, 2, 9, 10), "sizes": (1, 2, 3)}.items():
        (folder / name).mkdir()
        for n in sections:
            cut = 100 if name == "sizes" and n == 2 else 128
            imageio.imwrite(folder / name / f"s{n}.png", grey[n - 1, :cut])
    return folder
