"""Reading features out of a trained VGG3D at speed: the same numbers as `layer_outputs`, up to rounding.

Normalisations are folded into the convolutions before them (exact algebra, as nothing is learnt here), channels lie side by side
in memory, modules after the layer that is asked for are left out, and bfloat16 is used where the processor has instructions for
it. Cubes go through one at a time on a CPU: as fast as several together, and a row is independent of its neighbours. Where a cube
is one grey around its mask the first stages look at the mask and its surroundings alone (`stages.py`).
"""

from __future__ import annotations

from itertools import takewhile

import numpy as np
import torch

from neurotome.core import ShapeError, UnknownNameError
from neurotome.nn.vgg3d.layers import feature_names, layer_taps
from neurotome.nn.vgg3d.network import VGG3D
from neurotome.nn.vgg3d.poolings import pooled
from neurotome.nn.vgg3d.stages import Content, content_of, folded_stages, spared

__all__ = ["PRECISIONS", "FeatureExtractor"]

PRECISIONS = ("auto", "float32", "bfloat16")


class FeatureExtractor:
    """Cubes -> rows of features of one layer, pooled. The network is copied: what becomes of it later does not matter.

    precision: "auto" is bfloat16 where the processor (or GPU) has instructions for it and float32 elsewhere; `precision` tells
    which it became. names: of the columns.
    """

    def __init__(
        self, network: VGG3D, layer: int | str = 20, pooling: str = "avg", *, precision: str = "auto", device: str = "cpu"
    ) -> None:
        if precision not in PRECISIONS:
            raise UnknownNameError("precision", precision, PRECISIONS)
        self.names = feature_names(network.config, layer, pooling)
        self.pooling, self.device = pooling, torch.device(device)
        self.precision = _fastest(self.device) if precision == "auto" else precision
        self._dtype = torch.bfloat16 if self.precision == "bfloat16" else torch.float32
        self._network = network
        self._stages = folded_stages(network, layer_taps(network.config, layer))
        for step in (step for stage in self._stages for step, _ in stage.steps):
            step.to(device=self.device, dtype=self._dtype, memory_format=torch.channels_last_3d)
        self._backdrop: tuple[tuple[float, int], list[torch.Tensor]] | None = None

    def __call__(self, cubes: np.ndarray, masks: np.ndarray | None = None) -> np.ndarray:
        """(n, s, s, s) float and, for mask_avg, (n, s, s, s) bool -> (n, d) float32. Raises ShapeError, InputError."""
        cubes = np.asarray(cubes, np.float32)
        if cubes.ndim != 4 or (masks is not None and masks.shape != cubes.shape):
            shapes = f"Cubes {cubes.shape}" + ("" if masks is None else f" with masks {masks.shape}")
            raise ShapeError(shapes, "both (n, s, s, s)", "give one mask per cube")
        if not len(cubes):
            return np.empty((0, len(self.names)), np.float32)
        at_once = 1 if self.device.type == "cpu" else len(cubes)
        with torch.inference_mode():
            rows = [
                self._rows(cubes[start : start + at_once], None if masks is None else masks[start : start + at_once])
                for start in range(0, len(cubes), at_once)
            ]
        return np.concatenate(rows)

    def _rows(self, cubes: np.ndarray, masks: np.ndarray | None) -> np.ndarray:
        self._network.require_cubes(torch.from_numpy(cubes[:, None]), trunk=True)
        surrounded = content_of(cubes[0]) if len(cubes) == 1 else None
        outputs = self._outputs(self._ready(cubes), *(surrounded or (0.0, None)))
        mask = None if masks is None else torch.from_numpy(np.ascontiguousarray(masks)).to(self.device)
        return torch.cat([pooled(output, self.pooling, mask) for output in outputs], 1).cpu().numpy()

    def _ready(self, cubes: np.ndarray) -> torch.Tensor:
        x = torch.from_numpy(np.ascontiguousarray(cubes[:, None]))
        return x.to(self.device, self._dtype, memory_format=torch.channels_last_3d)

    def _outputs(self, x: torch.Tensor, grey: float, content: Content | None) -> list[torch.Tensor]:
        """What is asked for of x. content: outside of it x is grey, so that the first stages need not look there."""
        found: list[torch.Tensor] = []
        side = x.shape[-1]
        for at, stage in enumerate(self._stages):
            answer = None
            if content is not None and stage.sparable:
                answer = spared(stage, x, content, lambda at=at: self._backdrop_of(grey, side)[at])
            if answer is None:
                content = None
                x, asked = stage(x)
                found += asked
            else:
                x, content = answer
                found += [x] * stage.steps[-1][1]
        return found

    def _backdrop_of(self, grey: float, side: int) -> list[torch.Tensor]:
        """The outputs of the sparable stages for a cube that is grey throughout; kept until another grey is asked for."""
        if self._backdrop is None or self._backdrop[0] != (grey, side):
            x, outputs = self._ready(np.full((1, side, side, side), grey, np.float32)), []
            for stage in takewhile(lambda stage: stage.sparable, self._stages):
                x, _ = stage(x)
                outputs.append(x)
            self._backdrop = (grey, side), outputs
        return self._backdrop[1]


def _fastest(device: torch.device) -> str:
    native = torch.cpu._is_avx512_bf16_supported() if device.type == "cpu" else torch.cuda.is_bf16_supported()
    return "bfloat16" if native else "float32"
