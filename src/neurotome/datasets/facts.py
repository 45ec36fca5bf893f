"""What is known about a data set before it is opened, and what opening a part of it gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from neurotome.core import Image, Labels
from neurotome.core.geometry import Int3, Nm3

__all__ = ["DataPart", "Facts", "LabelsAre"]

LabelsAre = Literal["neurons", "inside", "membrane", "nothing"]


@dataclass(frozen=True)
class Facts:
    """One line of `neurotome data list`, and what a paper must say.

    shape and voxel_nm are those of the official volume; a local copy may hold fewer sections. labels_are gives the polarity.
    parts: the sections of each named part. checksum: "" where no official one is known.
    """

    name: str
    summary: str
    shape: Int3
    voxel_nm: Nm3
    labels_are: LabelsAre
    parts: Mapping[str, range]
    files: tuple[str, ...]
    licence: str
    cite: tuple[str, ...]
    url: str
    checksum: str = ""


@dataclass(frozen=True, eq=False)
class DataPart:
    """A part of a data set: image, its truth, and what the truth means.

    labels_are says how to read `labels`: "neurons" = one id per neuron and 0 = membrane or unlabelled; "inside" = above 0 inside
    cells, 0 on membranes; "membrane" = above 0 on membranes; "nothing" = there is no truth. masks holds structures by name.
    """

    name: str
    part: str
    image: Image
    labels: Labels | None
    labels_are: LabelsAre
    masks: Mapping[str, Labels] = field(default_factory=dict)
