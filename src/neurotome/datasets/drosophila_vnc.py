"""Drosophila VNC: third-instar larva ventral nerve cord with membranes, mitochondria and synapses labelled.

Image      20 x 1024 x 1024 (z, y, x), uint8, voxel 50 x 4.6 x 4.6 nm, serial-section transmission EM (stack 1 of the repository).
Labels     membranes, 0 and 255; polarity **membrane**: 255 = membrane (20.8 % of sections 0..13), 0 = everything else.
Masks      membranes, mitochondria, synapses: 0 and 255, 255 = the structure.
Parts      train 0..9, validation 10..13, labelled 0..13, kept_back 14..19 (for a final evaluation only; a partial copy has none).
Licence    CC BY-NC-SA 3.0: no commercial use, share alike.
Cite       Gerhard, Funke, Martel, Cardona, Fetter 2013, figshare, doi 10.6084/m9.figshare.856713.
"""

from __future__ import annotations

from pathlib import Path

from neurotome.core import Progress, silent
from neurotome.datasets.download import Download, download, store_image, store_labels, unpacked
from neurotome.datasets.facts import DataPart, Facts
from neurotome.datasets.folder import cut, folder_of, require_files, sections_of

__all__ = ["FACTS", "MASKS", "TRAIN", "VALIDATION", "fetch", "load"]

TRAIN = range(10)
VALIDATION = range(10, 14)
MASKS = ("membranes", "mitochondria", "synapses")

FACTS = Facts(
    name="drosophila_vnc",
    summary="fly larva nerve cord, ssTEM, membranes, mitochondria and synapses labelled",
    shape=(20, 1024, 1024),
    voxel_nm=(50.0, 4.6, 4.6),
    labels_are="membrane",
    parts={"train": TRAIN, "validation": VALIDATION, "labelled": range(14), "kept_back": range(14, 20)},
    files=("raw.ome.tif", *(f"{mask}.ome.tif" for mask in MASKS)),
    licence="CC BY-NC-SA 3.0",
    cite=("Gerhard, Funke, Martel, Cardona, Fetter 2013, doi:10.6084/m9.figshare.856713",),
    url="https://github.com/unidesigner/groundtruth-drosophila-vnc/archive/refs/heads/master.zip",
    # No checksum: GitHub packs this archive on demand, and a new packer changes every byte of it.
)


def load(part: str = "train", *, root: Path | str | None = None) -> DataPart:
    """A part of stack 1 with its three masks; `labels` is the membrane mask.

    Raises UnknownNameError for an unknown part, MissingFileError where the files are not there.
    """
    from neurotome.io import open_image, open_labels

    sections = sections_of(FACTS, part)
    folder = require_files(FACTS, root)
    image = open_image(folder / "raw.ome.tif", voxel_nm=FACTS.voxel_nm)
    masks = {
        mask: cut(open_labels(folder / f"{mask}.ome.tif", voxel_nm=FACTS.voxel_nm), sections, "drosophila_vnc") for mask in MASKS
    }
    return DataPart("drosophila_vnc", part, cut(image, sections, "drosophila_vnc"), masks["membranes"], "membrane", masks)


def fetch(
    target: Path | str | None = None, *, url: str = FACTS.url, checksum: str = FACTS.checksum, progress: Progress = silent
) -> Download:
    """Download the official archive into `target` (default: its place below `data_root`) and store its volumes as OME-TIFF.

    No official checksum is known: the result says verified = False. Raises RunFailedError offline, FormatError where the contents
    differ.
    """
    folder = Path(target) if target is not None else folder_of(FACTS)
    received = download(url, folder / "groundtruth-drosophila-vnc.zip", checksum=checksum, progress=progress)
    wanted = {"raw": "stack1/raw/", **{mask: f"stack1/{mask}/" for mask in MASKS}}
    with unpacked(received.path, wanted) as found:
        store_image(found["raw"], folder / "raw.ome.tif", FACTS.voxel_nm, progress=progress)
        for mask in MASKS:
            store_labels(found[mask], folder / f"{mask}.ome.tif", FACTS.voxel_nm, progress=progress)
    return received
