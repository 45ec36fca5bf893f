"""The structural types that are planted, and how single synapses vary around them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

__all__ = ["KINDS", "ONE_KIND", "SynapseKind", "vary"]


@dataclass(frozen=True)
class SynapseKind:
    """One type of synapse, or one synapse.

    bend: how far the rim of the cleft lies on the side of the postsynapse of its middle, in radii (above 0 the postsynapse bulges
    into the presynapse). density: how dark the postsynaptic density is, 0 to 1. perforated: the cleft has a hole. second_cleft: a
    smaller cleft lies beside it. spine: on a spine head, else on a dendritic shaft. dense_cores: share of vesicles.
    """

    name: str
    vesicles: int
    vesicle_diameter_nm: float
    cleft_radius_nm: float
    bend: float
    density: float
    spine: bool
    mitochondrion: bool = False
    perforated: bool = False
    second_cleft: bool = False
    dense_cores: float = 0.04


KINDS = (
    SynapseKind("small-spine", 45, 40.0, 100.0, 0.0, 0.8, spine=True),
    SynapseKind("perforated-spine", 150, 40.0, 195.0, 0.12, 1.0, spine=True, perforated=True),
    SynapseKind("cupped-spine", 85, 38.0, 160.0, 0.55, 0.55, spine=True, mitochondrion=True),
    SynapseKind("symmetric-shaft", 125, 36.0, 125.0, 0.0, 0.1, spine=False, mitochondrion=True),
    SynapseKind("paired-shaft", 65, 42.0, 135.0, -0.05, 0.45, spine=False, second_cleft=True),
    SynapseKind("packed-shaft", 185, 38.0, 165.0, -0.45, 0.9, spine=False, mitochondrion=True),
)
"""Any two differ in several measures; no single one tells all of them apart."""

ONE_KIND = SynapseKind("synapse", 100, 40.0, 150.0, 0.2, 0.6, spine=True, mitochondrion=True)
"""What all synapses are where there are no types."""


def vary(kind: SynapseKind, variation: float, rng: np.random.Generator) -> SynapseKind:
    """One synapse of a kind: sizes differ by the factor exp(N(0, variation)), the vesicle number by twice that in variance.

    The bend varies by a normal deviate of 0.6 variation, so that a flat kind is flat on average.
    """
    size, cloud, vesicle, dark = np.exp(variation * np.array([1.0, 1.4, 0.25, 0.6]) * rng.standard_normal(4))
    return replace(
        kind,
        vesicles=max(12, round(kind.vesicles * cloud)),
        vesicle_diameter_nm=kind.vesicle_diameter_nm * float(vesicle),
        cleft_radius_nm=kind.cleft_radius_nm * float(min(size, 1.3)),
        bend=kind.bend + 0.6 * variation * float(rng.standard_normal()),
        density=min(1.0, kind.density * float(dark)),
    )
