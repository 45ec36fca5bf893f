"""EM augmentation: one draw per sample, applied alike to the sections and their labels.

Order: defects of whole sections, the 8 symmetries of the section and reversal of z, elastic deformation, grey values.
Every step draws from its own random numbers, so that switching one off does not change the others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from scipy import ndimage

__all__ = ["Augmentation", "augment", "dihedral", "jittered_corners"]


@dataclass(frozen=True)
class Augmentation:
    """How likely and how strong; lengths in pixels, grey values in standard deviations of the section."""

    symmetries: bool = True
    elastic: float = 0.7
    control_px: int = 64
    displacement_px: float = 6.0
    rotation_deg: float = 20.0
    scale: float = 0.1
    grey: float = 0.7
    contrast: float = 0.5
    brightness: float = 0.5
    noise: float = 0.3
    noise_sd: float = 0.25
    blur: float = 0.3
    blur_px: float = 1.2
    defect: float = 0.15
    shift_px: int = 12

    @classmethod
    def none(cls) -> Augmentation:
        """Nothing is changed: for validation."""
        return cls(symmetries=False, elastic=0, grey=0, noise=0, blur=0, defect=0)


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
    """A changed copy of normalised sections and labels, both (z, S, S), cut to (z, size, size).

    Labels are moved by nearest neighbour and keep their ids, which must stay below 2^24.
    """
    draws = {name: np.random.default_rng(rng.integers(2**63)) for name in ("symmetry", "elastic", "grey", "defect")}
    if how.symmetries:
        variant = int(draws["symmetry"].integers(8))
        image, labels = dihedral(image, variant), dihedral(labels, variant)
        if draws["symmetry"].random() < 0.5:
            image, labels = image[::-1], labels[::-1]
    if draws["elastic"].random() < how.elastic:
        image, labels = _deform(image, labels, how, draws["elastic"], size)
    else:
        image, labels = _centre(image, size).copy(), _centre(labels, size).copy()
    _change_grey(image, how, draws["grey"])
    _spoil_section(image, how, draws["defect"])
    return image, labels


def _centre(array: np.ndarray, size: int) -> np.ndarray:
    y, x = ((n - size) // 2 for n in array.shape[-2:])
    return array[..., y : y + size, x : x + size]


def _deform(
    image: np.ndarray, labels: np.ndarray, how: Augmentation, rng: np.random.Generator, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Rotation, scale and a smooth random displacement: one field for all sections, z never mixes."""
    side = image.shape[-1]
    angle = np.deg2rad(rng.uniform(-how.rotation_deg, how.rotation_deg))
    zoom = rng.uniform(1 - how.scale, 1 + how.scale)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * zoom
    axis = np.arange(size) - (size - 1) / 2
    y, x = np.meshgrid(axis, axis, indexing="ij")
    field = np.stack([turn[0, 0] * x + turn[0, 1] * y, turn[1, 0] * x + turn[1, 1] * y])
    points = max(2, round(size / how.control_px)) + 1
    control = torch.from_numpy(rng.normal(0, how.displacement_px, (1, 2, points, points)))
    smooth = F.interpolate(control, size=(size, size), mode="bicubic", align_corners=True)[0].numpy()
    # grid_sample wants x, y in [-1, 1] from the centre of the first pixel to that of the last.
    grid = torch.from_numpy(((field + smooth) / ((side - 1) / 2)).astype(np.float32)).permute(1, 2, 0)[None]
    return _sample(image, grid, "bilinear"), _sample(labels, grid, "nearest")


def _sample(array: np.ndarray, grid: torch.Tensor, mode: str) -> np.ndarray:
    # A copy: a single section reversed along z counts as contiguous, but torch refuses its negative stride.
    source = torch.from_numpy(array.astype(np.float32, order="C", copy=True))[None]
    out = F.grid_sample(source, grid, mode=mode, padding_mode="reflection", align_corners=True)[0].numpy()
    return out.astype(array.dtype)


def _change_grey(image: np.ndarray, how: Augmentation, rng: np.random.Generator) -> None:
    for section in image:
        if rng.random() < how.grey:
            section *= 1 + rng.uniform(-how.contrast, how.contrast)
            section += rng.uniform(-how.brightness, how.brightness)
        if rng.random() < how.noise:
            section += rng.normal(0, rng.uniform(0, how.noise_sd), section.shape).astype(np.float32)
        if rng.random() < how.blur:
            section[:] = ndimage.gaussian_filter(section, rng.uniform(0.3, how.blur_px))


def _spoil_section(image: np.ndarray, how: Augmentation, rng: np.random.Generator) -> None:
    """At most one section is missing (grey) or out of focus; the labels stay, so the network learns to bridge it."""
    if len(image) == 1 or rng.random() >= how.defect * 2 / 3:
        return
    section = image[int(rng.integers(len(image)))]
    if rng.random() < 0.5:
        section[:] = 0
    else:
        section[:] = ndimage.gaussian_filter(section, rng.uniform(1.5, 3))
