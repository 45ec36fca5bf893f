"""The main job on synthetic tissue that comes with the package."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from neurotome.core import SITE_COLUMNS, Progress, RunFolderError, silent
from neurotome.core.geometry import Int3
from neurotome.datasets import phantom
from neurotome.flows.reconstruct import ReconstructSettings, reconstruct
from neurotome.io import save, write_csv

__all__ = ["demo", "write_phantom"]


def demo(
    out: Path, *, shape: Int3 = (24, 256, 256), seed: int = 0, overwrite: bool = False, progress: Progress = silent
) -> dict[str, Any]:
    """Make a phantom in the folder beside `out`, reconstruct it into `out`, score it against its truth."""
    data = out.with_name(out.name + "-data")
    spec = phantom.PhantomSpec(shape=shape, seed=seed)
    image, truth, *_ = write_phantom(spec, data, overwrite=True, progress=progress)
    settings = ReconstructSettings(image=str(image), truth=str(truth))
    return reconstruct(settings, out, overwrite=overwrite, progress=progress)


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
