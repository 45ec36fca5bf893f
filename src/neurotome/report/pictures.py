"""Pictures of sections: grey tissue, coloured neurons, data URIs. Arrays in, PNG or JPEG out."""

from __future__ import annotations

import base64
from collections.abc import Mapping

import numpy as np

from neurotome.core import Box, Image, spread
from neurotome.report.colours import label_colours

LARGEST_SECTION = 64_000_000
"""Pixels of a section that may be read whole."""
SAMPLES, SAMPLE_SIDE = 4, 512
"""Of a larger one, that many squares of that side are read along y and along x."""

__all__ = ["data_uri", "grey", "grey_range", "overlay", "painted", "spread", "thinned"]


def thinned(section: np.ndarray, factor: int, *, mean: bool) -> np.ndarray:
    """Every `factor`-th pixel along y and x, or the mean of each factor x factor square (the rest at the edges is dropped).

    >>> thinned(np.arange(16).reshape(4, 4), 2, mean=True).tolist()
    [[2.5, 4.5], [10.5, 12.5]]
    """
    if factor == 1:
        return section
    height, width = (n - n % factor for n in section.shape)
    squares = section[:height, :width].reshape(height // factor, factor, width // factor, factor)
    return squares.mean((1, 3)) if mean else squares[:, factor // 2, :, factor // 2]


def grey_range(image: Image, sections: int = 5) -> tuple[float, float]:
    """The grey values that become black and white: percentiles 1 and 99 of a few sections, evenly spread and thinned."""
    seen = [_few_pixels(image, z) for z in spread(image.grid.shape[0], sections)]
    low, high = np.percentile(np.concatenate(seen), [1, 99])
    return float(low), float(max(high, low + 1e-6))


def _few_pixels(image: Image, z: int) -> np.ndarray:
    """Some of the pixels of a section, from all over it."""
    _, height, width = image.grid.shape
    if height * width <= LARGEST_SECTION:
        step = max(1, max(height, width) // 512)
        return image.read(Box((z, 0, 0), (z + 1, height, width)))[0, ::step, ::step].ravel()
    corners = ((y, x) for y in spread(height, SAMPLES) for x in spread(width, SAMPLES))
    squares = (Box((z, y, x), (z + 1, y + SAMPLE_SIDE, x + SAMPLE_SIDE)).clip(image.grid.shape) for y, x in corners)
    return np.concatenate([image.read(square).ravel() for square in squares])


def grey(section: np.ndarray, limits: tuple[float, float] | None = None) -> np.ndarray:
    """Grey values as (y, x, 3) uint8, stretched between `limits` (default: percentiles 1 and 99 of this section)."""
    low, high = limits or np.percentile(section, [1, 99])
    levels = np.clip((section.astype(np.float32) - low) / max(high - low, 1e-6), 0, 1)
    return np.repeat(np.round(255 * levels).astype(np.uint8)[..., None], 3, axis=-1)


def painted(labels: np.ndarray, known: Mapping[int, int] | None = None) -> np.ndarray:
    """Colour of each pixel's label (y, x, 3); `known` renames labels first, so that partners share a colour."""
    unique, inverse = np.unique(labels, return_inverse=True)
    ids = [int(i) for i in unique]
    colours = label_colours(np.array([(known or {}).get(i, i) for i in ids], np.uint64))
    return colours[inverse.reshape(labels.shape)]


def overlay(
    tissue: np.ndarray, labels: np.ndarray, known: Mapping[int, int] | None = None, *, opacity: float = 0.42
) -> np.ndarray:
    """Neurons coloured over tissue (y, x, 3), with a firmer line inside the outline of each; label 0 stays tissue."""
    colours = painted(labels, known).astype(np.float32)
    weight = np.where(labels > 0, opacity, 0.0)
    weight[_outline(labels)] = 0.9
    mixed = tissue * (1 - weight[..., None]) + colours * weight[..., None]
    return np.round(mixed).astype(np.uint8)


def data_uri(picture: np.ndarray, *, quality: int = 80) -> str:
    """The picture (y, x, 3) uint8 as text that a page can carry (WebP: half the size of JPEG, known to every browser)."""
    from imageio.v3 import imwrite

    encoded = imwrite("<bytes>", picture, extension=".webp", quality=quality)
    return f"data:image/webp;base64,{base64.b64encode(encoded).decode('ascii')}"


def _outline(labels: np.ndarray) -> np.ndarray:
    """Pixels of a label whose right or lower neighbour has another label."""
    edge = np.zeros(labels.shape, bool)
    edge[:-1] |= labels[:-1] != labels[1:]
    edge[:, :-1] |= labels[:, :-1] != labels[:, 1:]
    return edge & (labels > 0)
