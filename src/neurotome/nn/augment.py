"""EM augmentation: one draw per sample, applied alike to the sections and to everything that is known about them.

Order: defects of whole sections, the 8 symmetries of the section and reversal of z, deformation, grey values, a blank square.
Every step draws from its own random numbers, so that switching one off does not change the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from scipy import ndimage

from neurotome.core import InputError, UnknownNameError

__all__ = ["OUTSIDE", "PRESETS", "Augmentation", "Draw", "augment", "dihedral", "jittered_corners"]

OUTSIDE = ("reflect", "nearest")
_PADDING = dict(zip(OUTSIDE, ("reflection", "border"), strict=True))
_NAMED = ("flipped y", "flipped x", "transposed")


@dataclass(frozen=True)
class Augmentation:
    """How likely and how strong; lengths in pixels, grey values in standard deviations of the section.

    symmetries: flip of y, flip of x and transposition, each by itself; with reverse_z also the order of the sections.
    elastic: how often a section is deformed, and then by all of: a smooth displacement, rotation, scale (y and x alike), zoom
    (y and x each by itself), shift (share of the side) and shear. outside: what stands where the deformation leaves the sample:
    "reflect" takes more tissue around it and then its mirror image, "nearest" repeats its outermost pixels.
    cutout: how often a square of `cutout_side` (share of the side) is blank in all sections; the truth stays.
    """

    symmetries: bool = True
    reverse_z: bool = True
    flip_x: bool = False
    elastic: float = 0.7
    control_px: int = 64
    displacement_px: float = 6.0
    rotation_deg: float = 20.0
    scale: float = 0.1
    zoom: float = 0.0
    shift: float = 0.0
    shear_deg: float = 0.0
    outside: str = "reflect"
    grey: float = 0.7
    contrast: float = 0.5
    brightness: float = 0.5
    shade: float = 0.3
    shade_sd: float = 1.0
    noise: float = 0.3
    noise_sd: float = 0.25
    blur: float = 0.3
    blur_px: float = 1.2
    defect: float = 0.15
    shift_px: int = 12
    cutout: float = 0.0
    cutout_side: float = 0.3

    def __post_init__(self) -> None:
        if self.outside not in OUTSIDE:
            raise UnknownNameError("value of outside", self.outside, OUTSIDE)
        if self.symmetries and self.flip_x:
            raise InputError("Both symmetries and flip_x are on", "one of them", "symmetries: false, if only x is to be flipped")

    @classmethod
    def none(cls) -> Augmentation:
        """Nothing is changed: for validation."""
        return PRESETS["none"]

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Augmentation:
        """The section `augmentation` of a recipe: `preset` names where to start from, the other options replace single values.

        Raises UnknownNameError for a preset or an option that does not exist.

        >>> Augmentation.of({"preset": "zambare", "shift": 0.1}).shift
        0.1
        """
        changes = dict(options)
        preset = changes.pop("preset", "default")
        if preset not in PRESETS:
            raise UnknownNameError("augmentation preset", str(preset), PRESETS)
        known = [f.name for f in fields(cls)]
        for name in changes:
            if name not in known:
                raise UnknownNameError("option of augmentation", name, ["preset", *known])
        return replace(PRESETS[preset], **changes)

    def side(self, size: int) -> int:
        """How large a sample must be read so that `size` pixels a side are left after the deformation."""
        return size + 2 * (-(-size // 8)) if self.elastic and self.outside == "reflect" else size


_STILL: dict[str, Any] = {"elastic": 0, "grey": 0, "shade": 0, "noise": 0, "blur": 0, "defect": 0}
PRESETS: Mapping[str, Augmentation] = {
    "default": Augmentation(),
    "none": Augmentation(**_STILL, symmetries=False),
    # The "8-fold" set of imagetranslation-tensorflow, with three draws instead of one for all three.
    "flips": Augmentation(**_STILL, reverse_z=False),
    # The ranges of sarangzambare/segmentation; rotation and shear are in degrees there, so practically none.
    "zambare": Augmentation(
        **{**_STILL, "elastic": 1.0},
        symmetries=False,
        flip_x=True,
        displacement_px=0.0,
        rotation_deg=0.2,
        scale=0.0,
        zoom=0.05,
        shift=0.05,
        shear_deg=0.05,
        outside="nearest",
    ),
}


def dihedral(array: np.ndarray, variant: int) -> np.ndarray:
    """One of the 8 symmetries of the square on the last two axes: bit 0 flips y, bit 1 flips x, bit 2 transposes (last).

    >>> sorted({dihedral(np.arange(4).reshape(2, 2), v).tobytes() for v in range(8)}).__len__()
    8
    """
    if variant & 1:
        array = array[..., ::-1, :]
    if variant & 2:
        array = array[..., ::-1]
    return array.swapaxes(-1, -2) if variant & 4 else array


def jittered_corners(rng: np.random.Generator, sections: int, how: Augmentation) -> np.ndarray:
    """Displacement (z, 2) in pixels of each section's crop: misaligned sections are made by cropping elsewhere.

    Either one section is shifted alone, or that one and all after it (a slip).
    """
    corners = np.zeros((sections, 2), np.int64)
    if sections > 1 and rng.random() < how.defect / 3:
        z = int(rng.integers(sections))
        stop = z + 1 if rng.random() < 0.5 else sections
        corners[z:stop] = rng.integers(-how.shift_px, how.shift_px + 1, 2)
    return corners


def augment(
    image: np.ndarray, labels: np.ndarray, how: Augmentation, rng: np.random.Generator, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """A changed copy of normalised sections and labels, both (z, S, S), cut to (z, size, size); labels keep their ids."""
    draw = Draw.of(how, rng, image.shape[-1], size)
    return draw.image(image), draw.labels(labels)


@dataclass(frozen=True, eq=False)
class Draw:
    """What chance decided for one sample. Whatever belongs to the sample, (..., z, side, side), goes through the same draw.

    where: (2, size, size), the y and x in the sample that each pixel of the result comes from; None: the middle of it, unchanged.
    zoom, shift, shear_deg: y before x. blank: corner and side of the blank square.
    """

    how: Augmentation
    size: int
    variant: int = 0
    reverse: bool = False
    rotation_deg: float = 0.0
    zoom: tuple[float, float] = (1.0, 1.0)
    shift: tuple[float, float] = (0.0, 0.0)
    shear_deg: float = 0.0
    where: np.ndarray | None = None
    blank: tuple[int, int, int] | None = None
    seeds: tuple[int, int, int] = (0, 0, 0)

    @classmethod
    def of(cls, how: Augmentation, rng: np.random.Generator, side: int, size: int) -> Draw:
        """Draw for a sample of `side` pixels of which `size` are to be left."""
        seeds = {name: int(rng.integers(2**63)) for name in ("symmetry", "elastic", "grey", "defect", "cutout", "shade")}
        draws = {name: np.random.default_rng(seed) for name, seed in seeds.items()}
        variant, reverse = _symmetry(how, draws["symmetry"])
        draw = cls(how, size, variant, reverse, seeds=(seeds["grey"], seeds["shade"], seeds["defect"]))
        if draws["elastic"].random() < how.elastic:
            draw = _deformed(draw, draws["elastic"], side)
        if draws["cutout"].random() < how.cutout:
            length = round(how.cutout_side * size)
            y, x = (int(c) for c in draws["cutout"].integers(0, size - length + 1, 2))
            draw = replace(draw, blank=(y, x, length))
        return draw

    def image(self, image: np.ndarray) -> np.ndarray:
        """Normalised sections (z, side, side), moved linearly, with their grey values changed; the same whenever it is called."""
        out = self.values(image)
        for change, seed in zip((_change_grey, _shade, _spoil_section), self.seeds, strict=True):
            change(out, self.how, np.random.default_rng(seed))
        if self.blank:
            y, x, length = self.blank
            out[:, y : y + length, x : x + length] = out.mean()
        return out

    def values(self, values: np.ndarray) -> np.ndarray:
        """Numbers that are to be imitated, moved linearly like the image, but not changed."""
        values = self._turned(values)
        if self.where is None:
            return _centre(values, self.size).copy()
        # grid_sample wants x, y in [-1, 1] from the centre of the first pixel to that of the last.
        side = values.shape[-1]
        grid = torch.from_numpy((self.where[::-1] / ((side - 1) / 2) - 1).astype(np.float32)).permute(1, 2, 0)[None]
        # A copy: a single section reversed along z counts as contiguous, but torch refuses its negative stride.
        source = torch.from_numpy(values.reshape(-1, side, side).astype(np.float32, order="C", copy=True))[None]
        moved = F.grid_sample(source, grid, mode="bilinear", padding_mode=_PADDING[self.how.outside], align_corners=True)[0]
        return moved.numpy().reshape(*values.shape[:-2], self.size, self.size).astype(values.dtype)

    def labels(self, labels: np.ndarray) -> np.ndarray:
        """Ids of any size, moved by nearest neighbour: places are computed with, never ids, so that none is rounded or wraps."""
        labels = self._turned(labels)
        if self.where is None:
            return _centre(labels, self.size).copy()
        side = labels.shape[-1]
        index = np.rint(self.where).astype(np.int64)
        if self.how.outside == "nearest":
            index = index.clip(0, side - 1)
        elif side > 1:
            index = np.abs(index) % (2 * side - 2)
            index = np.where(index >= side, 2 * side - 2 - index, index)
        return labels[..., index[0], index[1]]

    def told(self, *, sections: int = 2) -> tuple[str, ...]:
        """What was drawn, in words, for a sample of so many sections."""
        words = [name for bit, name in enumerate(_NAMED) if self.variant >> bit & 1]
        words += ["sections in reverse order"] if self.reverse and sections > 1 else []
        if self.where is not None:
            words += [f"turned {self.rotation_deg:+.3g} deg"] if self.rotation_deg else []
            words += [f"zoom {self.zoom[0]:.2f}" + (f" x {self.zoom[1]:.2f}" if self.how.zoom else "")]
            words += [f"shifted {self.shift[0]:+.0f}, {self.shift[1]:+.0f} px"] if self.how.shift else []
            words += ["bent"] if self.how.displacement_px else []
        return (*words, *(["blank square"] if self.blank else []))

    def _turned(self, array: np.ndarray) -> np.ndarray:
        array = dihedral(array, self.variant)
        return array[..., ::-1, :, :] if self.reverse else array


def _symmetry(how: Augmentation, rng: np.random.Generator) -> tuple[int, bool]:
    if how.symmetries:
        return int(rng.integers(8)), bool(rng.random() < 0.5) and how.reverse_z
    return (2 if how.flip_x and rng.random() < 0.5 else 0), False


def _deformed(draw: Draw, rng: np.random.Generator, side: int) -> Draw:
    """Rotation, shear, zoom, shift and a smooth random displacement: one field for all sections, z never mixes."""
    how, size = draw.how, draw.size
    rotation = rng.uniform(-how.rotation_deg, how.rotation_deg)
    scale = rng.uniform(1 - how.scale, 1 + how.scale)
    points = max(2, round(size / how.control_px)) + 1
    control = torch.from_numpy(rng.normal(0, how.displacement_px, (1, 2, points, points)))
    smooth = F.interpolate(control, size=(size, size), mode="bicubic", align_corners=True)[0].numpy()
    shear = rng.uniform(-how.shear_deg, how.shear_deg)
    zoom = scale * rng.uniform(1 - how.zoom, 1 + how.zoom, 2)
    shift = size * rng.uniform(-how.shift, how.shift, 2)
    angle, lean = np.deg2rad((rotation, shear))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = turn @ np.array([[1, -np.sin(lean)], [0, np.cos(lean)]]) @ np.diag(zoom)
    axis = np.arange(size) - (size - 1) / 2
    place = np.stack(np.meshgrid(axis, axis, indexing="ij"))
    where = np.einsum("ij,jyx->iyx", matrix, place) + smooth + shift[:, None, None] + (side - 1) / 2
    return replace(
        draw, rotation_deg=rotation, zoom=tuple(zoom.tolist()), shift=tuple(shift.tolist()), shear_deg=shear, where=where
    )


def _centre(array: np.ndarray, size: int) -> np.ndarray:
    y, x = ((n - size) // 2 for n in array.shape[-2:])
    return array[..., y : y + size, x : x + size]


def _change_grey(image: np.ndarray, how: Augmentation, rng: np.random.Generator) -> None:
    for section in image:
        if rng.random() < how.grey:
            section *= 1 + rng.uniform(-how.contrast, how.contrast)
            section += rng.uniform(-how.brightness, how.brightness)
        if rng.random() < how.noise:
            section += rng.normal(0, rng.uniform(0, how.noise_sd), section.shape).astype(np.float32)
        if rng.random() < how.blur:
            section[:] = ndimage.gaussian_filter(section, rng.uniform(0.3, how.blur_px))


def _shade(image: np.ndarray, how: Augmentation, rng: np.random.Generator) -> None:
    """Uneven light, or sections of uneven thickness: a tilted and bent plane of grey values, of at most `shade_sd`."""
    y, x = (np.linspace(-1, 1, n, dtype=np.float32) for n in image.shape[1:])
    for section in image:
        if rng.random() < how.shade:
            a, b, c, d, e = rng.uniform(-1, 1, 5).astype(np.float32)
            plane = (a * y + b * y * y)[:, None] + (c * x + d * x * x) + e * y[:, None] * x
            section += plane * np.float32(rng.uniform(0, how.shade_sd) / np.abs(plane).max())


def _spoil_section(image: np.ndarray, how: Augmentation, rng: np.random.Generator) -> None:
    """At most one section is missing (grey) or out of focus; the labels stay, so the network learns to bridge it."""
    if len(image) == 1 or rng.random() >= how.defect * 2 / 3:
        return
    section = image[int(rng.integers(len(image)))]
    if rng.random() < 0.5:
        section[:] = 0
    else:
        section[:] = ndimage.gaussian_filter(section, rng.uniform(1.5, 3))
