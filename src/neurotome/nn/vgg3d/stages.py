"""The stages of a VGG3D made ready for answers alone, and how a stage is spared where the cube is one grey.

A masked crop is one grey outside its mask. What a stage makes of a cube of that grey is worked out once, the backdrop. It differs
for the crop only within reach of the mask's box:

    +------------------+   read      what the stage must see: `changed` and once more its reach
    | +--------------+ |   changed   where its output is not the backdrop's: `content` and its reach
    | | +----------+ | |   content   where the cube is not grey
    | | |          | | |
    | | +----------+ | |   The reach of a stage is a voxel per convolution. At the faces of the cube it sees the zeros that it
    | +--------------+ |   sees for the whole cube; at the other faces of `read` they spoil what is outside of `changed` alone.
    +------------------+   So nothing is lost.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from neurotome.nn.vgg3d.network import VGG3D

__all__ = ["Content", "Stage", "content_of", "folded_stages", "spared"]

WORTH_IT = 0.8
"""Of the cube. If more must be read than this, the whole of it is as fast."""


@dataclass(frozen=True, eq=False)
class Stage:
    """Modules in order, each with whether its output is asked for."""

    steps: tuple[tuple[nn.Module, bool], ...]

    @property
    def reach(self) -> int:
        """How far an output voxel sees, in voxels of the input: one per convolution."""
        return sum(isinstance(step, nn.Conv3d) for step, _ in self.steps)

    @property
    def sparable(self) -> bool:
        """Whether all that is asked for is its end, a pool."""
        return isinstance(self.steps[-1][0], nn.MaxPool3d) and not any(asked for _, asked in self.steps[:-1])

    def __call__(self, x: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """The last output, and those that are asked for."""
        found: list[torch.Tensor] = []
        for step, asked in self.steps:
            # A ReLU may overwrite its input, unless that is asked for as well.
            x = F.relu(x, inplace=not (found and found[-1] is x)) if isinstance(step, nn.ReLU) else step(x)
            if asked:
                found.append(x)
        return x, found


@dataclass(frozen=True)
class Content:
    """The box [low, high) outside of which a cube is one grey, per axis."""

    low: tuple[int, ...]
    high: tuple[int, ...]

    def grown(self, by: int, side: int) -> Content:
        """On all sides, within the cube and to even voxels, so that pools fall as they do in the whole cube."""
        low = tuple(max(0, (start - by) // 2 * 2) for start in self.low)
        return Content(low, tuple(min(side, -(-(end + by) // 2) * 2) for end in self.high))

    def halved(self) -> Content:
        return Content(tuple(start // 2 for start in self.low), tuple(end // 2 for end in self.high))

    def within(self, outer: Content) -> Content:
        """The same box, counted from the corner of another."""
        low, high = (tuple(a - b for a, b in zip(ends, outer.low, strict=True)) for ends in (self.low, self.high))
        return Content(low, high)

    @property
    def voxels(self) -> int:
        return math.prod(b - a for a, b in zip(self.low, self.high, strict=True))

    @property
    def slices(self) -> tuple[slice, ...]:
        """Of an array (n, c, z, y, x)."""
        return (slice(None), slice(None), *(slice(a, b) for a, b in zip(self.low, self.high, strict=True)))


def content_of(cube: np.ndarray) -> tuple[float, Content] | None:
    """The grey that most corners of a cube (s, s, s) have, and the box of what is not of it; None for a cube of one grey.

    >>> cube = np.full((8, 8, 8), 0.6, np.float32)
    >>> cube[2:4, 5, 0] = 0.1
    >>> content_of(cube)[1]
    Content(low=(2, 5, 0), high=(4, 6, 1))
    """
    greys, counts = np.unique(cube[:: _last(cube), :: _last(cube), :: _last(cube)], return_counts=True)
    grey = greys[counts.argmax()]
    differs = cube != grey
    rows = differs.any(2)
    along = (rows.any(1), rows.any(0), differs.any((0, 1)))
    if not along[0].any():
        return None
    ends = [np.flatnonzero(line)[[0, -1]].tolist() for line in along]
    return float(grey), Content(tuple(first for first, _ in ends), tuple(last + 1 for _, last in ends))


def _last(cube: np.ndarray) -> int:
    return max(1, len(cube) - 1)


def folded_stages(network: VGG3D, taps: tuple[int, ...]) -> list[Stage]:
    """The stages up to the last tap, a module that is asked for, with normalisations inside the convolutions before them."""
    modules = copy.deepcopy(network.features[: taps[-1] + 1]).eval().float().requires_grad_(False)
    stages: list[list[tuple[nn.Module, bool]]] = [[]]
    for at, module in enumerate(modules):
        steps = stages[-1]
        if isinstance(module, nn.BatchNorm3d) and not steps[-1][1]:
            convolution = steps.pop()[0]
            module = fuse_conv_bn_eval(convolution, module)
        steps.append((module, at in taps))
        if isinstance(module, nn.MaxPool3d):
            stages.append([])
    return [Stage(tuple(steps)) for steps in stages if steps]


def spared(
    stage: Stage, x: torch.Tensor, content: Content, backdrop: Callable[[], torch.Tensor]
) -> tuple[torch.Tensor, Content] | None:
    """The output of a sparable stage for x (1, c, s, s, s), and the box outside of which it is backdrop; None if not worth it.

    backdrop: gives the stage's output for a cube of the grey that is around `content`.
    """
    side = x.shape[-1]
    changed = content.grown(stage.reach, side)
    read = changed.grown(stage.reach, side)
    if read.voxels > WORTH_IT * side**3:
        return None
    part, _ = stage(x[read.slices].contiguous(memory_format=torch.channels_last_3d))
    output = backdrop().clone()
    output[changed.halved().slices] = part[changed.within(read).halved().slices]
    return output, changed.halved()
