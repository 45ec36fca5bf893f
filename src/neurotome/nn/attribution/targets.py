"""What a map explains: one number per crop, of the network's answer. There is no map without saying of what."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F

from neurotome.core import ShapeError, ValueRangeError

__all__ = ["Target", "cluster_target", "feature_target", "likeness_target"]

Target = Callable[[torch.Tensor], torch.Tensor]
"""Answers (n, d) -> (n,)."""


def feature_target(number: int) -> Target:
    """One number of the answer: the logit of a class, or a feature. Raises ValueRangeError when there is no such number."""

    def value(answers: torch.Tensor) -> torch.Tensor:
        if not 0 <= number < answers.shape[1]:
            raise ValueRangeError(f"feature {number}", f"0 to {answers.shape[1] - 1}", "choose another")
        return answers[:, number]

    return value


def cluster_target(
    centres: torch.Tensor, cluster: int, mean: torch.Tensor | None = None, scale: torch.Tensor | None = None
) -> Target:
    """How much nearer an answer is to a cluster than to the next one: squared distance to the nearest other centre minus that to
    its own, in the space of the centres (k, d), which is (answer - mean) / scale. Raises ValueRangeError.
    """
    if len(centres) < 2 or not 0 <= cluster < len(centres):
        raise ValueRangeError(f"cluster {cluster} of {len(centres)}", "one of two clusters or more", "explain a feature instead")
    others = torch.arange(len(centres)) != cluster

    def value(answers: torch.Tensor) -> torch.Tensor:
        if answers.shape[1] != centres.shape[1]:
            raise ShapeError(f"Answers of {answers.shape[1]} numbers", f"{centres.shape[1]}, as the centres have")
        placed = answers if mean is None else answers - mean.to(answers)
        placed = placed if scale is None else placed / scale.to(answers)
        distances = (placed[:, None] - centres.to(answers)[None]).square().sum(2)
        return distances[:, others].amin(1) - distances[:, cluster]

    return value


def likeness_target(vector: torch.Tensor) -> Target:
    """Cosine of the answer to that for another crop (d,)."""

    def value(answers: torch.Tensor) -> torch.Tensor:
        return F.cosine_similarity(answers, vector.to(answers)[None], dim=1)

    return value
