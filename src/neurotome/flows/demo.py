"""The main job on synthetic tissue that comes with the package."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from neurotome import __version__
from neurotome.core import SITE_COLUMNS, Progress, RunFolderError, silent
from neurotome.core.geometry import Int3
from neurotome.datasets import phantom
from neurotome.flows.prepare import ReconstructSettings
from neurotome.flows.reconstruct import reconstruct
from neurotome.io import atomic_write_json, save, write_csv

__all__ = ["demo", "write_phantom"]

RECIPE = "phantom.json"


def demo(
    out: Path, *, shape: Int3 = (24, 256, 256), seed: int = 0, overwrite: bool = False, progress: Progress = silent
) -> dict[str, Any]:
    """Make a phantom in the folder beside `out`, reconstruct it into `out`, score it against its truth.

    The same demo again goes on where it stopped: tissue that is there and was made with the same settings is not made anew.
    """
    data = out.with_name(out.name + "-data")
    spec = phantom.PhantomSpec(shape=shape, seed=seed)
    image, truth = data / "image.ome.tif", data / "truth.ome.tif"
    made = {"neurotome": __version__, **asdict(spec)}
    if not _holds(data / RECIPE, made):
        write_phantom(spec, data, overwrite=True, progress=progress)
        atomic_write_json(data / RECIPE, made)
    settings = ReconstructSettings(image=str(image), truth=str(truth))
    return reconstruct(settings, out, overwrite=overwrite, progress=progress)


def _holds(path: Path, made: dict[str, Any]) -> bool:
    """Whether the tissue beside this file was finished with these settings."""
    return path.is_file() and json.loads(path.read_text()) == json.loads(json.dumps(made))


def write_phantom(
    spec: phantom.PhantomSpec, folder: Path, *, overwrite: bool = False, progress: Progress = silent
) -> tuple[Path, Path, Path, Path]:
    """image, truth, organelles (OME-TIFF) and synapses.csv of a phantom."""
    if folder.exists() and not folder.is_dir():
        raise RunFolderError(f"'{folder}' is a file", "a folder for the phantom", "choose another --out")
    progress("phantom", 0, 1)
    tissue = phantom.make(spec)
    folder.mkdir(parents=True, exist_ok=True)
    paths = folder / "image.ome.tif", folder / "truth.ome.tif", folder / "organelles.ome.tif", folder / "synapses.csv"
    for volume, path in zip((tissue.image, tissue.neurons, tissue.organelles), paths, strict=False):
        save(volume, path, overwrite=overwrite)
    write_csv(paths[3], tissue.synapses.to_rows(), SITE_COLUMNS)
    progress("phantom", 1, 1)
    return paths
