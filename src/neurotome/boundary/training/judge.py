"""How good is a network that is still learning? V_rand and V_info of whole validation sections, after every epoch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import nn

from neurotome.boundary.score import inside_channels, inside_map
from neurotome.boundary.training.annotated import AnnotatedVolume
from neurotome.boundary.training.whole_sections import WholeSections
from neurotome.core import Box, ModelCard, Probability, spread
from neurotome.measure import isbi_scores

__all__ = ["MOST_SECTIONS", "SectionJudge", "inside_truth"]

MOST_SECTIONS = 12
"""More would cost more than they tell: judging stays a small part of an epoch."""


@dataclass(frozen=True, eq=False)
class _Section:
    """A section, where it is predicted from, and what is inside a cell there (y, x)."""

    number: int
    stack: WholeSections
    truth: np.ndarray


@dataclass(frozen=True, eq=False)
class SectionJudge:
    """Gives val_v_rand, val_v_info and val_threshold (that of V_rand) for a network with this card.

    It sees at most MOST_SECTIONS whole sections, spread evenly over the volumes; sections whose truth is constant are left out.
    """

    sections: tuple[_Section, ...]
    card: ModelCard
    bf16: bool

    @classmethod
    def of(cls, volumes: tuple[AnnotatedVolume, ...], card: ModelCard, *, ndim: int, bf16: bool) -> SectionJudge | None:
        """None for 3D networks, for channels that do not say what is inside a cell, and where no truth does."""
        if ndim != 2 or not inside_channels(card.channels):
            return None
        sections = _sections(volumes)
        return cls(sections, card, bf16) if sections else None

    @property
    def count(self) -> int:
        return len(self.sections)

    def __call__(self, network: nn.Module) -> dict[str, float]:
        # Sections of several volumes may differ in size: a score is a mean over sections, so each is compared by itself.
        rows = [isbi_scores(self._inside(network, section), section.truth[None]) for section in self.sections]
        v_rand, v_info = (np.mean([row.means(name) for row in rows], axis=0) for name in ("v_rand", "v_info"))
        threshold = rows[0].thresholds[v_rand.argmax()]
        return {"val_v_rand": float(v_rand.max()), "val_v_info": float(v_info.max()), "val_threshold": float(threshold)}

    def _inside(self, network: nn.Module, section: _Section) -> np.ndarray:
        channels = inside_channels(self.card.channels)
        values = section.stack(network, self.card, section.number, channels, bf16=self.bf16)
        grid = section.stack.grid.crop(Box((0, 0, 0), (1, *section.truth.shape)))
        return inside_map(Probability(values[:, None], grid, channels))


def inside_truth(volume: AnnotatedVolume) -> np.ndarray | None:
    """What is inside a cell, bool (z, y, x), with a line of outside between objects that touch; None where the truth is silent.

    >>> from neurotome.core import Grid, Image
    >>> image = Image(np.zeros((1, 1, 6), np.uint8), Grid((1, 1, 6), (1, 1, 1)))
    >>> inside_truth(AnnotatedVolume(image, (0, 1), labels=np.array([[[1, 1, 2, 2, 0, 3]]]))).astype(int)
    array([[[1, 0, 1, 1, 0, 1]]])
    """
    known = volume.known()
    if known.labels is not None and not known.binary:
        return _apart(known.labels)
    return known.targets(("inside",))[0][0] > 0 if known.says("inside") else None


def _apart(labels: np.ndarray) -> np.ndarray:
    inside = labels > 0
    for axis in (1, 2):
        low = tuple(slice(None, -1) if a == axis else slice(None) for a in range(3))
        high = tuple(slice(1, None) if a == axis else slice(None) for a in range(3))
        inside[low] &= (labels[low] == labels[high]) | (labels[high] == 0)
    return inside


def _sections(volumes: tuple[AnnotatedVolume, ...]) -> tuple[_Section, ...]:
    found = []
    for volume in volumes:
        truth = inside_truth(volume)
        if truth is None:
            continue
        stack = WholeSections.of_block(volume)
        found += [_Section(n, stack, t) for n, t in zip(stack.numbers, truth, strict=True) if t.any() and not t.all()]
    return tuple(found[k] for k in spread(len(found), MOST_SECTIONS))
