"""The volumes of a study: opened without being read, and checked against each other before anything runs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np

from neurotome.core import Grid, Image, InputError, Labels, ShapeError, Structures, SynapseVolume, UnitError, UnknownNameError
from neurotome.core.geometry import Int3, Nm3
from neurotome.io import LazyArray, open_image, open_labels
from neurotome.io.lazy import Ranges
from neurotome.io.open import read_source
from neurotome.io.source import Source, show_nm
from neurotome.synapses.study.legend import read_legend, structures_of

__all__ = ["VolumeEntry", "open_volume", "open_volumes"]

PathLike = Path | str
LUMINANCE = (0.2989, 0.5870, 0.1140)
"""Weights of red, green and blue in a grey value (ITU-R BT.601)."""


@dataclass(frozen=True)
class VolumeEntry:
    """One volume as a study file names it: anything that `neurotome.io` opens.

    organelles: one labelled volume, whose ids a legend names, or one volume per structure, each of them where it is above 0.
    instances: ids of single vesicles. voxel_nm: z, y, x, for files that state none. origin_vox: of its corner in the whole data
    set. scale: "neurons", "organelles" or "instances" -> how many voxels of the image one of theirs covers along z, y, x.
    """

    name: str
    image: PathLike
    neurons: PathLike
    organelles: PathLike | Mapping[str, PathLike]
    instances: PathLike | None = None
    voxel_nm: Nm3 | None = None
    origin_vox: Int3 = (0, 0, 0)
    scale: Mapping[str, Int3] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # The name is a part of keys and of file names.
        if not self.name or "/" in self.name:
            raise InputError(f"A volume called '{self.name}'", "a name without /", "rename it")
        for what, factors in self.scale.items():
            if what not in ("neurons", "organelles", "instances"):
                raise UnknownNameError("scaled volume", what, ("neurons", "organelles", "instances"))
            if len(factors) != 3 or any(f < 1 or f != int(f) for f in factors):
                raise ShapeError(
                    f"Volume '{self.name}' has scale {tuple(factors)} of {what}",
                    "how many voxels of the image one of its voxels covers along z, y, x, such as 1, 2, 2",
                    "give three whole numbers",
                )
        if isinstance(self.organelles, Mapping):
            read_legend({self.name: dict.fromkeys(self.organelles, 1)})
            if taken := {"image", "neurons", "instances"}.intersection(self.organelles):
                raise InputError(f"Volume '{self.name}' has an organelle called {taken.pop()}", "another name", "rename it")

    @property
    def paths(self) -> dict[str, PathLike]:
        """What it is -> where it lies, the image first."""
        parts = self.organelles if isinstance(self.organelles, Mapping) else {"organelles": self.organelles}
        also = {} if self.instances is None else {"instances": self.instances}
        return {"image": self.image, "neurons": self.neurons, **parts, **also}


def open_volumes(entries: Iterable[VolumeEntry], legend: Mapping[str, Structures] | None = None) -> dict[str, SynapseVolume]:
    """Every volume of a study by name, each as `open_volume` opens it with its entry of the legend.

    Raises what `open_volume` and `structures_of` raise, and InputError for two volumes of one name.
    """
    opened: dict[str, SynapseVolume] = {}
    for entry in entries:
        if entry.name in opened:
            raise InputError(f"Two volumes are called '{entry.name}'", "a name for each", "rename one of them")
        one_each = isinstance(entry.organelles, Mapping)
        opened[entry.name] = open_volume(entry, None if one_each else structures_of(legend or {}, entry.name))
    return opened


def open_volume(entry: VolumeEntry, structures: Structures | None = None) -> SynapseVolume:
    """One volume, lazily, once shapes and voxel sizes are known to agree.

    structures: what the ids of `entry.organelles` are; not needed where each structure has a volume of its own, of which the last
    named lies on top. A colour picture becomes its luminance, 0.2989 R + 0.5870 G + 0.1140 B, rounded for whole numbers.

    Raises UnitError where nobody states a voxel size or two differ, ShapeError that lists all volumes, FormatError for a folder
    without sections or with gaps, InputError without legend and for coloured labels, MissingFileError.
    """
    voxel_nm = entry.voxel_nm or _stated_voxel_nm(entry)
    try:
        image, labels = _grey_image(entry.image, voxel_nm), _open_labels(entry, voxel_nm)
    except UnitError as error:
        given = f"Volume '{entry.name}': {_stated(entry)}"
        raise UnitError(given, "one voxel size", "correct voxel_nm or the file, or declare a scale") from error
    _require_one_shape(entry, {"image": image.grid.shape, **{what: volume.grid.shape for what, volume in labels.items()}})
    grid = _with_origin(image, labels)
    labels = {what: _on_grid(volume, grid, _factors(entry, what)) for what, volume in labels.items()}
    if isinstance(entry.organelles, Mapping):
        organelles = _stacked([labels[name] for name in entry.organelles])
        structures = {name: (number,) for number, name in enumerate(entry.organelles, 1)}
    else:
        organelles = labels["organelles"]
    return SynapseVolume(
        entry.name,
        replace(image, grid=grid),
        labels["neurons"],
        organelles,
        structures or {},
        entry.origin_vox,
        labels.get("instances"),
    )


def _factors(entry: VolumeEntry, what: str) -> Int3:
    """The scale of one of its volumes; those of single structures are its organelles."""
    part = "organelles" if isinstance(entry.organelles, Mapping) and what in entry.organelles else what
    return entry.scale.get(part, (1, 1, 1))


def _stated_voxel_nm(entry: VolumeEntry) -> Nm3:
    """What the first file says that says something; of a scaled one, as long as the image's voxels are."""
    for what, path in entry.paths.items():
        stated = read_source(path).full_voxel_nm
        if stated is not None:
            z, y, x = (v / f for v, f in zip(stated, _factors(entry, what), strict=True))
            return z, y, x
    raise UnitError(
        f"None of the files of volume '{entry.name}' states its voxel size",
        "the length of a voxel along z, y and x in nm",
        "set voxel_nm, for example voxel_nm: [8, 8, 8]",
    )


def _open_labels(entry: VolumeEntry, voxel_nm: Nm3) -> dict[str, Labels]:
    opened = {}
    for what, path in list(entry.paths.items())[1:]:
        z, y, x = (v * f for v, f in zip(voxel_nm, _factors(entry, what), strict=True))
        opened[what] = open_labels(path, voxel_nm=(z, y, x))
    return opened


def _grey_image(path: PathLike, voxel_nm: Nm3) -> Image:
    source = read_source(path)
    if not (source.rgb and source.data.shape[0] >= 3):
        return open_image(path, voxel_nm=voxel_nm)
    data = LazyArray.whole(partial(_luminance, source), source.data.shape[1:], source.data.dtype, source.path)
    return Image(data, source.grid(voxel_nm), source.name)


def _luminance(source: Source, ranges: Ranges) -> np.ndarray:
    colours = np.asarray(source.data[(slice(0, 3), *(slice(a, b) for a, b in ranges))])
    # The published weights sum to 0.9999; divided by that, equal colours keep their value also in 16 bits.
    grey = np.tensordot(np.array(LUMINANCE) / sum(LUMINANCE), colours.astype(np.float64), axes=1)
    return (grey if colours.dtype.kind == "f" else np.rint(grey)).astype(colours.dtype)


def _require_one_shape(entry: VolumeEntry, shapes: Mapping[str, Int3]) -> None:
    fitting = [
        n // f <= m <= math.ceil(n / f)
        for what, shape in shapes.items()
        for n, m, f in zip(shapes["image"], shape, _factors(entry, what), strict=True)
    ]
    if all(fitting):
        return
    paths = entry.paths
    if all(Path(path).is_dir() for path in paths.values()) and len({shape[1:] for shape in shapes.values()}) == 1:
        listed = ", ".join(f"{shape[0]} in '{paths[what]}' ({what})" for what, shape in shapes.items())
        raise ShapeError(f"Volume '{entry.name}' has slices: {listed}", "as many in each", "add what is missing")
    listed = "; ".join(f"{what} '{paths[what]}' has shape {shape}" for what, shape in shapes.items())
    raise ShapeError(
        f"Volume '{entry.name}': {listed}",
        "one shape (z, y, x)",
        "crop them to one region, or say with scale how many voxels of the image one of a coarser volume covers",
    )


def _stated(entry: VolumeEntry) -> str:
    """Which voxel size each file states, for a message."""
    said = [f"{what} '{path}' states {show_nm(read_source(path).voxel_nm)} nm" for what, path in entry.paths.items()]
    asked = "" if entry.voxel_nm is None else f"; voxel_nm is {show_nm(entry.voxel_nm)} nm"
    return "; ".join(said) + asked


def _with_origin(image: Image, labels: Mapping[str, Labels]) -> Grid:
    """The image's grid, where the first file that knows an origin puts it: pictures of sections know none."""
    grids = [image.grid, *(volume.grid for volume in labels.values())]
    known = [grid.origin_nm for grid in grids if grid.shape == image.grid.shape]
    return replace(image.grid, origin_nm=next((origin for origin in known if any(origin)), image.grid.origin_nm))


def _on_grid(volume: Labels, grid: Grid, factors: Int3) -> Labels:
    """The volume itself, or a coarser one with each voxel repeated over those of the image that it covers."""
    if tuple(factors) == (1, 1, 1):
        return volume if any(volume.grid.origin_nm) else replace(volume, grid=grid)
    data = LazyArray.whole(partial(_repeated, volume, factors), grid.shape, volume.data.dtype)
    return replace(volume, data=data, grid=grid)


def _repeated(volume: Labels, factors: Int3, ranges: Ranges) -> np.ndarray:
    # A coarse volume may lack the last voxels of the image: its border continues there.
    coarse = [np.minimum(np.arange(a, b) // f, n - 1) for (a, b), f, n in zip(ranges, factors, volume.grid.shape, strict=True)]
    values = np.asarray(volume.data[tuple(slice(int(at[0]), int(at[-1]) + 1) for at in coarse)])
    return values[np.ix_(*(at - at[0] for at in coarse))]


def _stacked(parts: list[Labels]) -> Labels:
    """One volume of ids 1, 2, ... in which later structures lie on top of earlier ones."""
    grid = parts[0].grid
    data = LazyArray.whole(partial(_paint, tuple(parts)), grid.shape, np.uint8)
    return Labels(data, grid, name="organelles")


def _paint(parts: tuple[Labels, ...], ranges: Ranges) -> np.ndarray:
    painted = np.zeros([b - a for a, b in ranges], np.uint8)
    for number, part in enumerate(parts, 1):
        painted[np.asarray(part.data[tuple(slice(a, b) for a, b in ranges)]) > 0] = number
    return painted
