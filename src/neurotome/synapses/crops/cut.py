"""One site -> one cube: where it is cut, what each of its voxels is, and what is to be known about how sure that is.

site -> window of twice the crop -> closest piece of each structure -> presynaptic side -> centre -> crop
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurotome.core import OPERANDS, Box, Crop, CropRecipe, InputError, Structures, SynapseVolume
from neurotome.core.geometry import Int3, Nm3
from neurotome.synapses.crops.centring import clefts_of_site, crop_centre, is_truncated
from neurotome.synapses.crops.components import CLOSEST, Closest, closest_components, structure_bits
from neurotome.synapses.crops.grey_levels import grey_levels
from neurotome.synapses.crops.isotropic import IsotropicReader
from neurotome.synapses.crops.sides import Sides, find_sides
from neurotome.synapses.crops.windows import WindowReader
from neurotome.synapses.discarded import Discarded

__all__ = ["CutCrop", "Reader", "cut_crop", "operand_names", "put", "reader_of"]

Reader = WindowReader | IsotropicReader
_FIRST_CLOSEST = OPERANDS.index(CLOSEST[0])
_FIRST_ALL = OPERANDS.index(f"all_{CLOSEST[0]}")


@dataclass(frozen=True, eq=False)
class CutCrop:
    """A crop and what the site table says of it (`CropSet.sites`)."""

    crop: Crop
    facts: dict[str, Any]


@dataclass(frozen=True, eq=False)
class _Part:
    """What a reader gives for a box, with the structures told apart."""

    box: Box
    neurons: np.ndarray
    organelles: np.ndarray
    kinds: np.ndarray
    closest: Closest


def cut_crop(
    volume: SynapseVolume | Reader,
    row: Mapping[str, Any],
    recipe: CropRecipe,
    levels: tuple[float, float] | None = None,
    names: Sequence[str] | None = None,
) -> CutCrop | Discarded:
    """Cut the cube around one site.

    Parameters
    ----------
    volume
        The volume of the site; for many sites a reader (`reader_of`), which keeps what it has unpacked.
    row
        One row of a site table (columns as in `neurotome.synapses.study`), voxels of the volume.
    recipe
        Where the crop is cut and how.
    levels
        The volume's grey levels; found by `grey_levels` where they are not given.
    names
        Operands of the crop in the order of its bits; found by `operand_names` where they are not given.

    Gives Discarded where one of the site's points lies outside the volume or too little of the crop inside.
    Counts of `facts`: crop_z, crop_y, crop_x are voxels of the crop's own size from the volume's corner, its index size / 2.
    """
    if isinstance(volume, SynapseVolume):
        levels = levels or grey_levels(volume.image)
        volume = reader_of(volume, recipe)
    if levels is None:
        raise InputError("A reader without grey levels", "the two percentiles of its volume", "use grey_levels")
    key = f"{row['dataset']}/{row['volume']}/{row['synapse_id']}"
    if any(not _holds(volume, _voxel(row, what)) for what in ("center", "side1", "side2")):
        return Discarded(key, "crops", "outside_volume")
    position = volume.position(_voxel(row, "center"))
    return _Cut(volume, recipe, key, _nearest(position), position).made(
        row, levels, tuple(names or operand_names([volume.structures]))
    )


def reader_of(volume: SynapseVolume, recipe: CropRecipe, **options: Any) -> Reader:
    """A reader of the volume on the grid that the recipe asks for. options: of `WindowReader`."""
    reader = WindowReader(volume, **options)
    return reader if recipe.isotropic_nm is None else IsotropicReader(reader, recipe.isotropic_nm)


def operand_names(structures: Sequence[Structures]) -> tuple[str, ...]:
    """Operands of crops from volumes with these structures: those of every crop, then the other names of the legends.

    >>> operand_names([{"vesicles": (1,), "psd": (2,)}, {"dense_core": (3,)}])[-2:]
    ('dense_core', 'psd')
    """
    others = {name for known in structures for name in known} - set(CLOSEST)
    if taken := sorted(others & set(OPERANDS)):
        raise InputError(f"A legend calls a structure '{taken[0]}'", "a name that no operand has", "rename it in the legend")
    return (*OPERANDS, *sorted(others))


@dataclass(frozen=True, eq=False)
class _Cut:
    """The steps for one site. position: of the site in voxels of the reader's grid, site: the voxel it lies in."""

    reader: Reader
    recipe: CropRecipe
    key: str
    site: Int3
    position: Nm3

    def made(self, row: Mapping[str, Any], levels: tuple[float, float], names: tuple[str, ...]) -> CutCrop | Discarded:
        window = self._around(self.site, self.recipe.size, self.position)
        labels = self.reader.neuron_at(_voxel(row, "side1")), self.reader.neuron_at(_voxel(row, "side2"))
        sides = find_sides(window.neurons, labels, window.closest.marks, self.recipe, row.get("pre_side"))
        cleft = self._cleft(window)
        middle = None if sides.pre_middle is None else _moved(sides.pre_middle, window.box.start)
        centre = crop_centre(self.site, middle, cleft, self.recipe)
        box = _cube(centre, self.recipe.size // 2)
        inside = box.clip(self.reader.shape)
        share = inside.size / box.size
        if share < self.recipe.min_valid or not share:
            return Discarded(self.key, "crops", "valid_fraction_too_low", share, self.recipe.min_valid)
        part = self._part_for(centre, window, inside)
        facts = {
            **dict(zip(("crop_z", "crop_y", "crop_x"), centre, strict=True)),
            **sides.facts(self.reader.name),
            **part.closest.facts(self.reader.voxel_nm),
            "valid_fraction": share,
            "border": share < 1,
            "cleft_truncated": is_truncated(cleft, box, self.recipe),
            **_border_contact(part.closest.marks),
            **dict(zip(("voxel_z_nm", "voxel_y_nm", "voxel_x_nm"), self.reader.voxel_nm, strict=True)),
        }
        return CutCrop(self._crop(part, sides, self._begin(box, inside), levels, names), facts)

    def _around(self, middle: Int3, reach: int, target: Nm3) -> _Part:
        """The volume within `reach` voxels, and the structures in it that are closest to a target."""
        box = _cube(middle, reach).clip(self.reader.shape)
        organelles = self.reader.read("organelles", box)
        kinds = structure_bits(organelles, self.reader.structures)
        return _Part(box, self.reader.read("neurons", box), organelles, kinds, self._closest(kinds, box, target))

    def _closest(self, kinds: np.ndarray, box: Box, target: Nm3) -> Closest:
        there = _moved(target, _ints(-c for c in box.start))
        return closest_components(kinds, there, self.reader.voxel_nm, connectivity=self.recipe.connectivity)

    def _cleft(self, window: _Part) -> Box | None:
        found = [window.closest.of(name) for name in ("cleft", "cleft2")]
        return clefts_of_site([(d, box.shift(window.box.start)) for d, box in found if box is not None], self.site, self.recipe)

    def _part_for(self, centre: Int3, window: _Part, inside: Box) -> _Part:
        """What lies inside the crop: cut out of the window, or looked at anew where the recipe searches in the crop."""
        target = self.position if self.recipe.from_site else _moved(centre, (0, 0, 0))
        if self.recipe.search == "crop":
            return self._around(centre, self.recipe.size // 2, target)
        found = window.closest if self.recipe.from_site else self._closest(window.kinds, window.box, target)
        return self._cut_out(window, found, inside)

    def _cut_out(self, window: _Part, found: Closest, inside: Box) -> _Part:
        common = inside.intersect(window.box)
        there = common.inside(window.box).slices
        if common == inside:
            marks = np.ascontiguousarray(found.marks[there])
            arrays = (window.neurons[there], window.organelles[there], window.kinds[there])
        else:
            # A centre without a guard may move so far that the crop leaves the window; no closest piece reaches out there.
            marks = np.zeros(inside.shape, np.uint8)
            marks[common.inside(inside).slices] = found.marks[there]
            organelles = self.reader.read("organelles", inside)
            arrays = (self.reader.read("neurons", inside), organelles, structure_bits(organelles, self.reader.structures))
        return _Part(inside, *arrays, Closest(marks, found.distance_nm, found.runner_up_nm, found.boxes))

    def _begin(self, crop: Box, inside: Box) -> Int3:
        """The index in the crop where its part inside the volume begins, so that the centre's voxel stays in the middle.

        Searching in the crop is the reference's way, which also lets that part begin at 0: all padding is on the high side.
        """
        return (0, 0, 0) if self.recipe.search == "crop" else inside.inside(crop).start

    def _crop(self, part: _Part, sides: Sides, at: Int3, levels: tuple[float, float], names: tuple[str, ...]) -> Crop:
        size = self.recipe.size
        bits = put(_bits(part, sides, self.reader.structures, names), at, size)
        image = put(self.reader.read("image", part.box), at, size, how=self.recipe.pad)
        instances = put(self.reader.read("instances", part.box), at, size) if self.reader.has_instances else None
        return Crop(self.key, image, bits, names, self.reader.voxel_nm, levels, instances)


def put(values: np.ndarray, at: Int3, size: int, *, how: str = "grey") -> np.ndarray:
    """A cube of `size` voxels with the values at an index; around them 0 ("grey"), or what "reflect" or "edge" make of them.

    >>> put(np.array([[[1, 2]]]), (0, 0, 1), 4)[0, 0].tolist()
    [0, 1, 2, 0]
    """
    if values.shape == (size, size, size):
        return np.ascontiguousarray(values)
    widths = [(a, size - a - n) for a, n in zip(at, values.shape, strict=True)]
    return np.pad(values, widths) if how == "grey" else np.pad(values, widths, mode=how)  # type: ignore[call-overload]


def _bits(part: _Part, sides: Sides, structures: Structures, names: tuple[str, ...]) -> np.ndarray:
    """Bit i is set where the voxel belongs to names[i]."""
    low = np.uint32(2 ** len(CLOSEST) - 1)
    bits = (part.closest.marks & low) << np.uint32(_FIRST_CLOSEST) | (part.kinds & low) << np.uint32(_FIRST_ALL)
    bits |= np.uint32(1 << names.index("valid"))
    masks = [("background", 0), ("side1", sides.labels[0]), ("side2", sides.labels[1])]
    masks += [("pre", sides.pre_label), ("post", sides.post_label)]
    for name, label in masks:
        if label or name == "background":
            bits |= (part.neurons == label).astype(np.uint32) << np.uint32(names.index(name))
    for place, name in list(enumerate(names))[len(OPERANDS) :]:
        for label in structures.get(name, ()):
            bits |= (part.organelles == label).astype(np.uint32) << np.uint32(place)
    return bits


def _border_contact(marks: np.ndarray) -> dict[str, bool]:
    """Whether the piece goes on where the crop, or the volume, ends."""
    faces = np.bitwise_or.reduce([np.bitwise_or.reduce(marks.take(end, axis), None) for axis in range(3) for end in (0, -1)])
    return {f"{name}_touch_border": bool(faces >> CLOSEST.index(name) & 1) for name in ("vesicles", "cleft")}


def _voxel(row: Mapping[str, Any], what: str) -> Int3:
    return _ints(row[f"{what}_{axis}"] for axis in "zyx")


def _holds(reader: Reader, voxel: Int3) -> bool:
    return all(0 <= c < n for c, n in zip(_nearest(reader.position(voxel)), reader.shape, strict=True))


def _nearest(position: Nm3) -> Int3:
    return _ints(math.floor(p + 0.5) for p in position)


def _cube(middle: Int3, reach: int) -> Box:
    return Box(_ints(c - reach for c in middle), _ints(c + reach for c in middle))


def _moved(position: Nm3 | Int3, by: Int3) -> Nm3:
    z, y, x = (float(p) + b for p, b in zip(position, by, strict=True))
    return z, y, x


def _ints(values: Any) -> Int3:
    z, y, x = (int(v) for v in values)
    return z, y, x
