"""SNEMI3D: mouse somatosensory cortex, dense neuron labels. The field's anisotropic benchmark.

Image      100 x 1024 x 1024 (z, y, x), uint8, voxel 30 x 6 x 6 nm, scanning EM of sections collected on tape (ATUM-SEM).
           Sections differ in brightness (mean 93 to 197): normalise per section.
Labels     one id per neuron, 0 = membrane or unlabelled (13.3 % of sections 0..69, which hold 333 ids).
Parts      train 0..59, validation 60..69, labelled 0..69, kept_back 70..99 (final evaluation only; a partial copy has none).
Licence    challenge data; the Zenodo record says CC-BY-4.0, other copies say otherwise: check before you redistribute.
Cite       Kasthuri et al. 2015, Cell 162:648, doi 10.1016/j.cell.2015.06.054; record doi 10.5281/zenodo.7142003.
"""

from __future__ import annotations

from pathlib import Path

from neurotome.core import Progress, silent
from neurotome.datasets.download import Download, download, store_image, store_labels, unpacked
from neurotome.datasets.facts import DataPart, Facts
from neurotome.datasets.folder import cut, folder_of, require_files, sections_of

__all__ = ["FACTS", "TRAIN", "VALIDATION", "fetch", "load"]

TRAIN = range(60)
VALIDATION = range(60, 70)

FACTS = Facts(
    name="snemi3d",
    summary="mouse cortex, ATUM-SEM, every neuron labelled",
    shape=(100, 1024, 1024),
    voxel_nm=(30.0, 6.0, 6.0),
    labels_are="neurons",
    parts={"train": TRAIN, "validation": VALIDATION, "labelled": range(70), "kept_back": range(70, 100)},
    files=("train-input.ome.tif", "train-labels.ome.tif"),
    licence="challenge data (Zenodo record: CC-BY-4.0)",
    cite=("Kasthuri et al. 2015, Cell 162:648", "doi:10.5281/zenodo.7142003"),
    url="https://zenodo.org/records/7142003/files/snemi.zip?download=1",
    # The md5 that the Zenodo record lists, as quoted by others; not yet confirmed with a download of our own.
    checksum="md5:3d25a7025f66698f33c7850ace885939",
)


def load(part: str = "train", *, root: Path | str | None = None) -> DataPart:
    """A part of the training volume with its neuron labels.

    Raises UnknownNameError for an unknown part, MissingFileError where the files are not there.
    """
    from neurotome.io import open_image, open_labels

    sections = sections_of(FACTS, part)
    folder = require_files(FACTS, root)
    image = open_image(folder / "train-input.ome.tif", voxel_nm=FACTS.voxel_nm)
    labels = open_labels(folder / "train-labels.ome.tif", voxel_nm=FACTS.voxel_nm)
    return DataPart("snemi3d", part, cut(image, sections, "snemi3d"), cut(labels, sections, "snemi3d"), "neurons")


def fetch(
    target: Path | str | None = None, *, url: str = FACTS.url, checksum: str = FACTS.checksum, progress: Progress = silent
) -> Download:
    """Download the official archive into `target` (default: its place below `data_root`) and store its volumes as OME-TIFF.

    Raises RunFailedError offline, FormatError where the checksum or the contents differ.
    """
    folder = Path(target) if target is not None else folder_of(FACTS)
    received = download(url, folder / "snemi.zip", checksum=checksum, progress=progress)
    with unpacked(received.path, {"image": "image/train-input.tif", "labels": "seg/train-labels.tif"}) as found:
        store_image(found["image"], folder / "train-input.ome.tif", FACTS.voxel_nm, progress=progress)
        store_labels(found["labels"], folder / "train-labels.ome.tif", FACTS.voxel_nm, progress=progress)
    return received
