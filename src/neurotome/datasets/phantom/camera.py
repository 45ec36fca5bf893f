"""What goes wrong between tissue and file: brightness, noise, and whole sections that are shifted, lost or out of focus."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

__all__ = ["add_noise", "blur", "change_brightness", "pick_faults", "shifts"]


def pick_faults(
    sections: int, misaligned: int, missing: int, blurred: int, rng: np.random.Generator
) -> dict[str, tuple[int, ...]]:
    """Different sections for each kind of fault, never the first or the last."""
    order = iter(rng.permutation(np.arange(1, sections - 1)).tolist())
    counts = {"misaligned": misaligned, "missing": missing, "blurred": blurred}
    return {kind: tuple(sorted(next(order) for _ in range(n))) for kind, n in counts.items()}


def shifts(sections: int, misaligned: tuple[int, ...], most_vox: int, rng: np.random.Generator) -> np.ndarray:
    """Shift (y, x) of every section in voxels, (sections, 2): 0 for a good one, at least a third of the largest for a bad one."""
    table = np.zeros((sections, 2), int)
    for z in misaligned:
        size = rng.uniform(max(1, most_vox / 3), most_vox)
        angle = rng.uniform(0, 2 * np.pi)
        table[z] = np.rint([size * np.sin(angle), size * np.cos(angle)])
    return table


def change_brightness(image: np.ndarray, amount: float, rng: np.random.Generator) -> None:
    """Give every section a mean, contrast and slow shading of its own, in place; `amount` 1 is like SNEMI3D."""
    y = np.linspace(-1, 1, image.shape[1], dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, image.shape[2], dtype=np.float32)[None]
    for section in image:
        mean = float(section.mean())
        lift = np.clip(20.0 * rng.standard_normal(), -45, 45) * amount
        contrast = 1.0 + 0.07 * amount * np.clip(rng.standard_normal(), -2, 2)
        slope = 5.0 * amount * rng.standard_normal(2)
        section -= mean
        section *= contrast
        section += mean + lift + slope[0] * y + slope[1] * x


def add_noise(image: np.ndarray, amount: float, rng: np.random.Generator) -> None:
    """Camera noise in place: mostly white, partly shared by neighbouring pixels."""
    for section in image:
        white = rng.standard_normal(section.shape, np.float32)
        shared = ndimage.gaussian_filter(rng.standard_normal(section.shape, np.float32), 0.9, mode="wrap")
        section += amount * (2.5 * white + 25.0 * shared)


def blur(section: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A section that is out of focus."""
    return ndimage.gaussian_filter(section, rng.uniform(2.2, 3.6), mode="nearest")
