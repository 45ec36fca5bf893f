"""ISBI-2012: Drosophila larva ventral nerve cord, membranes labelled. The first EM segmentation challenge.

Image      30 x 512 x 512 (z, y, x), uint8, voxel 50 x 4 x 4 nm, serial-section transmission EM; 30 more without labels ("test").
           Neighbouring sections hardly correlate (0.05 to 0.34): treat it as 2D.
Labels     exactly 0 and 255; polarity **inside**: 0 = membrane, 255 = inside a cell (78.0 % of all 30 sections).
Parts      train 0..17, validation 18..23, labelled 0..23, kept_back 24..29 (for a final evaluation only), test (unlabelled).
Licence    challenge data: research use; cite both papers.
Cite       Cardona et al. 2010, PLoS Biology 8:e1000502; Arganda-Carreras et al. 2015, Frontiers in Neuroanatomy 9:142.
"""

from __future__ import annotations

from pathlib import Path

from neurotome.core import Progress, silent
from neurotome.datasets.download import Download, download, store_image, store_labels, unpacked
from neurotome.datasets.facts import DataPart, Facts
from neurotome.datasets.folder import cut, folder_of, require_files, sections_of

__all__ = ["FACTS", "TRAIN", "VALIDATION", "fetch", "load"]

TRAIN = range(18)
VALIDATION = range(18, 24)

FACTS = Facts(
    name="isbi2012",
    summary="fly larva nerve cord, ssTEM, membranes labelled",
    shape=(30, 512, 512),
    voxel_nm=(50.0, 4.0, 4.0),
    labels_are="inside",
    parts={"train": TRAIN, "validation": VALIDATION, "labelled": range(24), "kept_back": range(24, 30), "test": range(30)},
    files=("train-volume.ome.tif", "train-labels.ome.tif", "test-volume.ome.tif"),
    licence="challenge data",
    cite=("Cardona et al. 2010, PLoS Biology 8:e1000502", "Arganda-Carreras et al. 2015, Frontiers in Neuroanatomy 9:142"),
    url="https://downloads.imagej.net/ISBI-2012-challenge.zip",
)


def load(part: str = "train", *, root: Path | str | None = None) -> DataPart:
    """A part of the labelled stack, or the unlabelled test stack.

    Raises UnknownNameError for an unknown part, MissingFileError where the files are not there.
    """
    from neurotome.io import open_image, open_labels

    sections = sections_of(FACTS, part)
    folder = require_files(FACTS, root)
    if part == "test":
        image = open_image(folder / "test-volume.ome.tif", voxel_nm=FACTS.voxel_nm)
        return DataPart("isbi2012", part, cut(image, sections, "isbi2012"), None, "nothing")
    image = open_image(folder / "train-volume.ome.tif", voxel_nm=FACTS.voxel_nm)
    labels = open_labels(folder / "train-labels.ome.tif", voxel_nm=FACTS.voxel_nm)
    return DataPart("isbi2012", part, cut(image, sections, "isbi2012"), cut(labels, sections, "isbi2012"), "inside")


def fetch(
    target: Path | str | None = None, *, url: str = FACTS.url, checksum: str = FACTS.checksum, progress: Progress = silent
) -> Download:
    """Download the official archive into `target` (default: its place below `data_root`) and store its volumes as OME-TIFF.

    No official checksum is known: the result says verified = False. Raises RunFailedError offline, FormatError where the contents
    differ.
    """
    folder = Path(target) if target is not None else folder_of(FACTS)
    received = download(url, folder / "ISBI-2012-challenge.zip", checksum=checksum, progress=progress)
    wanted = {"image": "train-volume.tif", "labels": "train-labels.tif", "test": "test-volume.tif"}
    with unpacked(received.path, wanted) as found:
        store_image(found["image"], folder / "train-volume.ome.tif", FACTS.voxel_nm, progress=progress)
        store_labels(found["labels"], folder / "train-labels.ome.tif", FACTS.voxel_nm, progress=progress)
        store_image(found["test"], folder / "test-volume.ome.tif", FACTS.voxel_nm, progress=progress)
    return received
