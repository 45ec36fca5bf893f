"""Every measure of a synapse: its name, its unit, what it means, and where it comes from."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from numpy import percentile

from neurotome.core import Crop
from neurotome.synapses.morphometry.cleft import Cleft
from neurotome.synapses.morphometry.grey import Grey
from neurotome.synapses.morphometry.scene import Scene
from neurotome.synapses.morphometry.sides import Contact, PreMitochondria, Side
from neurotome.synapses.morphometry.vesicles import SingleVesicles, VesicleCloud

__all__ = ["MEASURES", "Measure", "Synapse"]


class Synapse:
    """The parts of one crop that measures are taken of; each is prepared when first asked for."""

    def __init__(self, crop: Crop, labelled: Collection[str] | None = None) -> None:
        self.scene = Scene(crop, labelled)
        self.cleft = Cleft(self.scene)
        self.cloud = VesicleCloud(self.scene, self.cleft)
        self.grey = Grey(self.scene)
        self.single = SingleVesicles(self.scene, self.cloud, self.grey)
        self.pre, self.post = Side(self.scene, "pre"), Side(self.scene, "post")
        self.contact = Contact(self.scene, self.pre, self.post)
        self.mito = PreMitochondria(self.scene, self.pre)


@dataclass(frozen=True)
class Measure:
    """A named number of a synapse.

    unit: "" for none. formula: with C cleft, V vesicle cloud, d(A) distance to the nearest voxel of A. transform: "log" where
    it is told apart better by its logarithm. quality: whether it tells how far others can be trusted, so that it is no feature.
    """

    name: str
    unit: str
    formula: str
    transform: str
    of: Callable[[Synapse], float] = field(repr=False)
    quality: bool = False


def _of_side(side: str) -> tuple[Measure, ...]:
    """The same measures of presynapse and postsynapse."""
    return (
        Measure(f"{side}_volume_um3", "um3", f"voxels of {side} in the crop", "log", lambda s: getattr(s, side).volume_um3),
        Measure(f"{side}_near_volume_um3", "um3", "those with d(C) <= 300 nm", "log", lambda s: getattr(s, side).near_volume_um3),
        Measure(
            f"{side}_surface_to_volume_per_um",
            "um-1",
            f"Crofton area / volume of {side}, faces of the crop left out",
            "none",
            lambda s: getattr(s, side).surface_to_volume_per_um,
        ),
        Measure(
            f"{side}_max_radius_nm",
            "nm",
            f"largest distance in {side} to its outside",
            "none",
            lambda s: getattr(s, side).max_radius_nm,
        ),
    )


MEASURES: tuple[Measure, ...] = (
    Measure("cleft_volume_um3", "um3", "voxels of C", "log", lambda s: s.cleft.volume_um3),
    Measure("cleft_area_um2", "um2", "area in C of the surface half way between pre and post", "log", lambda s: s.cleft.area_um2),
    Measure("cleft_thickness_nm", "nm", "volume / area of the cleft", "none", lambda s: s.cleft.thickness_nm),
    Measure("cleft_diameter_nm", "nm", "2 sqrt(area / pi)", "none", lambda s: s.cleft.diameter_nm),
    Measure("cleft_elongation", "", "longest / middle axis of C", "log", lambda s: s.cleft.axes.elongation),
    Measure("cleft_flatness", "", "shortest / middle axis of C", "none", lambda s: s.cleft.axes.flatness),
    Measure("cleft_curvature", "", "area / area seen along its mean normal", "none", lambda s: s.cleft.curvature),
    Measure("cleft_holes", "count", "1 - Euler number of C, cavities filled", "none", lambda s: s.cleft.holes),
    Measure("cleft_parts", "count", "pieces of all cleft labels within 60 nm of C, and C", "none", lambda s: s.cleft.parts),
    Measure("vesicle_volume_um3", "um3", "voxels of V", "log", lambda s: s.cloud.volume_um3),
    Measure("vesicle_percent_crop", "percent", "100 voxels of V / voxels of the crop", "log", lambda s: s.cloud.percent_crop),
    Measure("vesicle_surface_um2", "um2", "Crofton area of V", "log", lambda s: s.cloud.surface_um2),
    Measure("vesicle_sphericity", "", "pi^(1/3) (6 volume)^(2/3) / surface", "none", lambda s: s.cloud.sphericity),
    Measure("vesicle_elongation", "", "longest / middle axis of V", "log", lambda s: s.cloud.axes.elongation),
    Measure("vesicle_cleft_min_nm", "nm", "smallest d(C) in V", "none", lambda s: s.cloud.from_cleft_nm.min()),
    Measure("vesicle_cleft_mean_nm", "nm", "mean d(C) in V", "none", lambda s: s.cloud.from_cleft_nm.mean(dtype=float)),
    Measure(
        "vesicle_cleft_p90_nm", "nm", "90th percentile of d(C) in V", "none", lambda s: percentile(s.cloud.from_cleft_nm, 90)
    ),
    Measure("vesicle_docked_fraction", "", "share of V with d(C) <= 50 nm", "none", lambda s: s.cloud.docked_fraction),
    Measure("vesicle_share_of_pre", "", "V in pre / pre", "none", lambda s: s.cloud.share_of_pre),
    Measure(
        "vesicle_axial_nm",
        "nm",
        "from centre of C to that of V, along the shortest axis of C",
        "none",
        lambda s: s.cloud.offset_nm[0],
    ),
    Measure(
        "vesicle_lateral_nm",
        "nm",
        "from centre of C to that of V, across the shortest axis of C",
        "none",
        lambda s: s.cloud.offset_nm[1],
    ),
    Measure("vesicle_count", "count", "single vesicles with half of their voxels in V", "log", lambda s: s.single.count),
    Measure("vesicle_docked_count", "count", "those with d(C) <= 30 nm", "log", lambda s: s.single.docked_count),
    Measure(
        "vesicle_diameter_mean_nm",
        "nm",
        "mean of (6 volume / pi)^(1/3) of whole ones",
        "none",
        lambda s: s.single.diameters_nm.mean(),
    ),
    Measure("vesicle_diameter_sd_nm", "nm", "its standard deviation", "none", lambda s: s.single.diameters_nm.std()),
    Measure("vesicle_density_per_um3", "um-3", "vesicles / volume of V", "log", lambda s: s.single.density_per_um3),
    Measure(
        "dense_core_fraction",
        "",
        "share of vesicles with a mean intensity < -1 within half their radius",
        "none",
        lambda s: s.single.dense_core_fraction,
    ),
    *(measure for side in ("pre", "post") for measure in _of_side(side)),
    Measure("log_pre_post_ratio", "", "ln(pre_near_volume / post_near_volume)", "none", lambda s: s.contact.log_ratio),
    Measure(
        "contact_area_um2",
        "um2",
        "area of the surface half way between, where d(pre) + d(post) <= 80 nm",
        "log",
        lambda s: s.contact.area_um2,
    ),
    Measure("cleft_contact_fraction", "", "cleft_area / contact_area", "none", lambda s: s.contact.cleft_fraction),
    Measure("mito_pre_volume_um3", "um3", "all mitochondria in pre", "log", lambda s: s.mito.volume_um3),
    Measure("mito_pre_fraction", "", "mito_pre_volume / pre_volume", "none", lambda s: s.mito.fraction),
    Measure("mito_cleft_min_nm", "nm", "smallest d(C) in them", "none", lambda s: s.mito.from_cleft_nm),
    Measure("mito_within_300nm", "", "1 where that is <= 300 nm, else 0", "none", lambda s: s.mito.within_300nm),
    Measure(
        "cleft_intensity",
        "",
        "mean intensity of C, in units of the crop's spread about its median",
        "none",
        lambda s: s.grey.mean("cleft"),
    ),
    Measure("vesicle_intensity", "", "mean intensity of V", "none", lambda s: s.grey.mean("vesicles")),
    Measure(
        "post_density",
        "",
        "mean intensity of post at 0 < d(C) <= 24 nm, less that at d(C) > 150 nm",
        "none",
        lambda s: s.grey.post_lining,
    ),
    Measure("pre_density", "", "the same of pre", "none", lambda s: s.grey.pre_lining),
    Measure("density_asymmetry", "", "post_density - pre_density", "none", lambda s: s.grey.post_lining - s.grey.pre_lining),
    Measure(
        "voxel_anisotropy",
        "",
        "longest / shortest side of the voxels; areas of sheets are less exact from 2 on",
        "none",
        lambda s: max(s.scene.voxel_nm) / min(s.scene.voxel_nm),
        quality=True,
    ),
)
"""In the order of the feature table's columns."""
