"""Images of any size for networks that halve it again and again: continued by reflection, then cut back."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch

from neurotome.core import Box
from neurotome.core.geometry import Int3

__all__ = ["reflected", "reflected_places", "reflected_to_multiple"]


def reflected_to_multiple(x: torch.Tensor, multiple: int) -> torch.Tensor:
    """The image (..., y, x) with its lower and right border reflected, as often as it takes, until both sides are multiples.

    An image that fits already is returned as it is.

    >>> reflected_to_multiple(torch.arange(3).expand(1, 4, 3), 4)[0, 0]
    tensor([0, 1, 2, 1])
    >>> reflected_to_multiple(torch.arange(2).expand(1, 8, 2), 8)[0, 0]
    tensor([0, 1, 0, 1, 0, 1, 0, 1])
    """
    for axis in (-2, -1):
        if missing := -x.shape[axis] % multiple:
            x = x.index_select(axis, _folded(x.shape[axis], missing, x.device))
    return x


def _folded(size: int, missing: int, device: torch.device) -> torch.Tensor:
    index = torch.arange(size + missing, device=device) % max(1, 2 * size - 2)
    return torch.minimum(index, 2 * size - 2 - index).clamp(min=0)


def reflected(read: Callable[[Box], np.ndarray], shape: Int3, places: Sequence[np.ndarray]) -> np.ndarray:
    """The values of a volume at `places` along z, y and x, which may lie outside: there it is continued by reflection."""
    fold = [reflected_places(i, n) for i, n in zip(places, shape, strict=True)]
    start = tuple(int(i.min()) for i in fold)
    box = Box(start, tuple(int(i.max()) + 1 for i in fold))  # type: ignore[arg-type]
    return read(box)[np.ix_(*(i - s for i, s in zip(fold, start, strict=True)))]


def reflected_places(index: np.ndarray, size: int) -> np.ndarray:
    """Where a place outside 0..size-1 is reflected to.

    >>> reflected_places(np.array([-2, -1, 0, 3, 4, 5]), 4).tolist()
    [2, 1, 0, 3, 2, 1]
    """
    if size == 1:
        return np.zeros_like(index)
    folded = np.abs(index) % (2 * size - 2)
    return np.where(folded >= size, 2 * size - 2 - folded, folded)
