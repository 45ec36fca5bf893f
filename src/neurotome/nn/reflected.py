"""Images of any size for networks that halve it again and again: reflected to a multiple, then cut back."""

from __future__ import annotations

import torch

__all__ = ["reflected_to_multiple"]


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
