"""Where two neurons touch: each way to read a meeting of branches, and how likely it is."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from itertools import product

import numpy as np

from neurotome.core import ValueRangeError
from neurotome.tracing.crossing.arms import Arm, Place, bend

__all__ = ["CrossingSettings", "Reading", "Weights", "likelihoods", "readings"]

_STRAIGHT = 30.0
_SIDEWAYS = 90.0


@dataclass(frozen=True, kw_only=True)
class Weights:
    """The score of a reading: the sum of its features, see `Reading`, times these. none: the score of all that cannot be read, as
    where one neurite ends at another or neurites touch along their way.

    Fitted to random scenes of two and three neurons, see benchmarks/crossings.py.
    """

    crossing: float = 2.36
    turn: float = 0.56
    radius: float = 1.86
    probability: float = 1.51
    bend: float = -0.56
    radius_along: float = -1.62
    probability_along: float = -0.9
    none: float = 2.75


@dataclass(frozen=True, kw_only=True)
class CrossingSettings:
    """least_confidence: no branch changes its neuron that is less sure. weights: of what is seen, see `Weights`."""

    least_confidence: float = 0.5
    weights: Weights = Weights()

    def __post_init__(self) -> None:
        if not 0 < self.least_confidence <= 1:
            raise ValueRangeError(f"least_confidence {self.least_confidence:g}", "a number in (0, 1]", "1 moves nothing")


@dataclass(frozen=True, eq=False)
class Reading:
    """That two neurons touch at a place, and which of its other arms are whose.

    to_here, to_there: the arms that belong to the neuron of the arm `here`, or `there`; all others stay whose they are.
    features: 1 for a crossing and 0 for a contact where nothing changes; how far a neurite would turn that ran from soma to
    soma, and how its radius and probability would change; the same of those that go on, summed. Turns are in units of 30
    degrees, radii are logarithms.
    """

    place: Place
    to_here: tuple[Arm, ...]
    to_there: tuple[Arm, ...]
    features: np.ndarray


def readings(place: Place, *, is_contact: bool) -> list[Reading]:
    """All ways to read a place. is_contact: it lies at the contact, so nothing may have to change.

    A neurite only goes on as an arm that the other neuron's would have to turn more for. That one neurite ends at another is
    no reading: it looks like a branch point.
    """
    here, there = place.here, place.there
    between = _ways((here, there), limit=_SIDEWAYS)
    found = [Reading(place, (), (), np.array([0, *between, 0, 0, 0]))] if is_contact else []
    straighter = {arm.first: bend(there, arm) - bend(here, arm) for arm in place.others}
    of_here = [arm for arm in place.others if straighter[arm.first] > 0]
    of_there = [arm for arm in place.others if straighter[arm.first] < 0]
    for to_here, to_there in product(of_here, of_there):
        along = _ways((here, to_here), (there, to_there))
        found.append(Reading(place, (to_here,), (to_there,), np.array([1, *between, *along])))
    return found


def likelihoods(found: list[Reading], weights: Weights) -> np.ndarray:
    """(n,) the probability of each of some readings: exp(score), normalised together with that of none of them."""
    *of_features, none = astuple(weights)
    scores = np.append(np.array([reading.features for reading in found]) @ np.array(of_features), none)
    power = np.exp(scores - scores.max())
    return np.asarray((power / power.sum())[:-1])


def _ways(*pairs: tuple[Arm, Arm], limit: float = 180.0) -> tuple[float, float, float]:
    """Bend, and by how much radius and probability change, summed over some ways."""
    bends = [min(bend(one, other), limit) / _STRAIGHT for one, other in pairs]
    radii = [abs(np.log(max(one.radius, 1e-9) / max(other.radius, 1e-9))) for one, other in pairs]
    apart = [abs(one.probability - other.probability) for one, other in pairs]
    return sum(bends), float(sum(radii)), sum(apart)
