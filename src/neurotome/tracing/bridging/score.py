"""How likely a gap between two pieces is one neurite: a score of what is seen of it, and the confidence that it means."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurotome.core import ValueRangeError

__all__ = ["BridgeSettings", "Gaps", "confidence", "score"]


@dataclass(frozen=True, kw_only=True)
class BridgeSettings:
    """Which gaps are bridged.

    max_gap_nm: no wider ones. least_confidence: no less sure ones. The others make the score of a gap, see `score`: its length
    in units of gap_scale, an empty gap `empty` of a bright one, directions and radii by their powers, a side `side` of an end.
    A score of even_score has the confidence 0.5; steepness says how fast it changes there.

    The defaults were fitted to synthetic gaps and near contacts, see benchmarks/bridge_confidence.py.
    """

    max_gap_nm: float = 10_000.0
    least_confidence: float = 0.5
    gap_scale: float = 5.4
    empty: float = 0.13
    angle_power: float = 0.48
    radius_power: float = 0.14
    side: float = 0.37
    even_score: float = 0.054
    steepness: float = 2.15

    def __post_init__(self) -> None:
        for name in ("max_gap_nm", "gap_scale", "even_score", "steepness"):
            if not getattr(self, name) > 0:
                raise ValueRangeError(f"{name} {getattr(self, name):g}", "a number above 0", "bridges='none' makes no bridges")
        for name in ("least_confidence", "empty", "side"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueRangeError(f"{name} {getattr(self, name):g}", "a number in [0, 1]", "give a share")


@dataclass(frozen=True, eq=False)
class Gaps:
    """What is seen of some gaps, each array (k,).

    length_nm: of the part in the background. unit_nm: by what to measure it, a voxel side and the smaller radius together: what
    is far for a thin neurite in a fine image is near for a thick one in a coarse one. cos_here, cos_there: how well the end and
    what is opposite look along the gap, 1 best; of a side, how far it is from running along. radius_ratio: the smaller as a
    share of the larger. to_side: what is opposite is no end. mean_p: the mean value in the gap as a share of the threshold.
    """

    length_nm: np.ndarray
    unit_nm: np.ndarray
    cos_here: np.ndarray
    cos_there: np.ndarray
    radius_ratio: np.ndarray
    to_side: np.ndarray
    mean_p: np.ndarray


def score(gaps: Gaps, settings: BridgeSettings) -> np.ndarray:
    """The product of exp(-length / (unit * scale)), both cosines ^ angle power, empty + (1 - empty) * mean p, radius ratio ^
    radius power, and `side` at a side; (k,). Negative cosines count as 0.
    """
    cosines = np.maximum(0, gaps.cos_here) * np.maximum(0, gaps.cos_there)
    return np.asarray(
        np.exp(-gaps.length_nm / (gaps.unit_nm * settings.gap_scale))
        * cosines**settings.angle_power
        * (settings.empty + (1 - settings.empty) * gaps.mean_p)
        * gaps.radius_ratio**settings.radius_power
        * np.where(gaps.to_side, settings.side, 1.0)
    )


def confidence(scores: np.ndarray, settings: BridgeSettings) -> np.ndarray:
    """The probability that gaps of these scores are one neurite, in [0, 1): s^k / (s^k + e^k), e the even score, k the steepness.

    >>> confidence(np.array([0.0, 0.2, 0.4]), BridgeSettings(even_score=0.2, steepness=1)).round(3).tolist()
    [0.0, 0.5, 0.667]
    """
    power = np.asarray(scores, np.float64) ** settings.steepness
    return np.asarray(power / (power + settings.even_score**settings.steepness))
