"""Random specs: the range of stacks that a network should have seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neurotome.core import Skeleton
from neurotome.core.geometry import Int3
from neurotome.datasets.fluorescence.spec import FluorescenceSpec

__all__ = ["random_spec"]


def random_spec(
    rng: np.random.Generator, *, shape: Int3 = (64, 192, 192), morphologies: Sequence[Skeleton] = ()
) -> FluorescenceSpec:
    """A spec drawn at random: SNR 2 to 10, voxels up to four times as high as wide, radii of 0.5 to 3 voxels and the rest.

    morphologies: real neurons, of which every second spec takes one; the others are grown.
    """
    lateral = float(rng.uniform(200, 600))
    anisotropy = float(rng.choice((1.0, rng.uniform(1, 4))))
    sharp = rng.uniform(0.5, 1.3)
    thin = rng.uniform(0.5, 1.3)
    source = morphologies[int(rng.integers(len(morphologies)))] if len(morphologies) and rng.random() < 0.5 else None
    room = float(np.prod(shape) * anisotropy / (64 * 192 * 192)) ** (2 / 3)
    return FluorescenceSpec(
        shape=shape,
        voxel_nm=(round(lateral * anisotropy, 1), round(lateral, 1), round(lateral, 1)),
        seed=int(rng.integers(2**31)),
        snr=float(np.exp(rng.uniform(np.log(2), np.log(10)))),
        source=source,
        cable_vox=float(room * rng.uniform(500, 2600)),
        radius_vox=(float(thin), float(rng.uniform(thin + 0.3, 3.0))),
        soma_vox=float(rng.choice((0.0, rng.uniform(4, 12)))),
        psf_nm=(float(lateral * max(sharp, sharp * rng.uniform(1.0, 3.5))), float(lateral * sharp), float(lateral * sharp)),
        photons=float(np.exp(rng.uniform(np.log(8), np.log(150)))),
        read_noise=float(rng.uniform(0.5, 4)),
        background=float(rng.uniform(0, 2)),
        haze=float(rng.uniform(0, 0.3)),
        depth_loss=float(rng.uniform(0, 0.5)),
        fading=float(rng.uniform(0, 0.6)),
        gaps=int(rng.integers(0, 9)),
        gap_vox=float(rng.uniform(2, 7)),
        beads=float(rng.uniform(0, 0.7)),
        neighbours=int(rng.integers(0, 4)),
        specks=int(rng.integers(0, 13)),
        cut_sd=float(rng.uniform(1.0, 3.0)) if rng.random() < 0.2 else None,
        dtype=str(rng.choice(("uint8", "uint16"))),
    )
