"""What a phantom is asked to be, and what it is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from neurotome.core import Image, InputError, Labels, SynapseSites
from neurotome.core.geometry import Int3, Nm3

__all__ = ["ORGANELLES", "Phantom", "PhantomSpec"]

# The legend that each phantom carries; code asks for an id by name.
ORGANELLES = {
    1: "mitochondria",
    2: "vesicles",
    3: "cleft",
    4: "density",
    5: "nucleus",
    6: "reticulum",
    7: "microtubules",
    8: "myelin",
}

_SMALLEST = (4, 48, 48)


@dataclass(frozen=True)
class PhantomSpec:
    """The tissue and its faults; two equal specs give equal bytes.

    noise scales the camera noise (0 = none). brightness_jumps scales how much sections differ in brightness and contrast
    (1 = like SNEMI3D, 0 = not at all). misaligned, missing and blurred count sections. misaligned_vox is the
    largest shift of a section. The faults come from their own random stream.

    The tissue follows from seed, shape and voxel size alone, but for misaligned: it needs a margin to shift in, so asking for
    misaligned sections gives other tissue.
    """

    shape: Int3 = (64, 512, 512)
    voxel_nm: Nm3 = (30.0, 6.0, 6.0)
    seed: int = 0
    noise: float = 1.0
    brightness_jumps: float = 1.0
    misaligned: int = 0
    missing: int = 0
    blurred: int = 0
    misaligned_vox: int = 12
    soma: bool = True
    myelin: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", tuple(int(n) for n in self.shape))
        object.__setattr__(self, "voxel_nm", tuple(float(v) for v in self.voxel_nm))
        if any(n < least for n, least in zip(self.shape, _SMALLEST, strict=True)):
            raise InputError(f"Phantom of shape {self.shape}", f"at least {_SMALLEST}", "ask for a larger one")
        if min(self.voxel_nm) <= 0 or max(self.voxel_nm) > 60:
            raise InputError(f"Phantom with voxels of {self.voxel_nm} nm", "more than 0, at most 60 nm", "choose EM voxels")
        if min(self.noise, self.brightness_jumps) < 0 or not math.isfinite(self.noise + self.brightness_jumps):
            raise InputError(
                f"Phantom with noise {self.noise} and brightness jumps {self.brightness_jumps}", "0 or more", "give 0 for none"
            )
        if self.seed < 0 or self.seed != int(self.seed):
            raise InputError(f"Phantom with seed {self.seed}", "a whole number of 0 or more", "choose another")
        if self.misaligned and self.misaligned_vox < 1:
            raise InputError(f"Misaligned by at most {self.misaligned_vox} voxels", "1 voxel or more", "give misaligned_vox")
        faulty = (self.misaligned, self.missing, self.blurred)
        if min(faulty) < 0 or sum(faulty) > self.shape[0] // 2:
            raise InputError(
                f"Phantom with {self.misaligned} misaligned, {self.missing} missing and {self.blurred} blurred sections",
                f"at most half of its {self.shape[0]} sections faulty",
                "ask for fewer",
            )


@dataclass(frozen=True, eq=False)
class Phantom:
    """Synthetic EM and all of its truth, on one grid.

    image: uint8. neurons: uint64, 0 = membrane, extracellular space and myelin. membranes: uint8, 1 = membrane.
    organelles: uint8, named by its legend. faults: section numbers per kind ("misaligned", "missing", "blurred").
    """

    image: Image
    neurons: Labels
    membranes: Labels
    organelles: Labels
    synapses: SynapseSites
    spec: PhantomSpec
    faults: Mapping[str, tuple[int, ...]]
