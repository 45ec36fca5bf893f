"""What a study of synapses may say: volumes, legend, sites, and what is to be done with them. Paths are relative to its file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from neurotome.core import CropLook, CropRecipe, InputError, NeurotomeError
from neurotome.flows.recipe_file import all_mistakes, recipe_keys

__all__ = ["AttentionConfig", "ClustersConfig", "FeaturesConfig", "StudyConfig", "read_study"]

EXAMPLE = "recipes/synapses.yaml"
Family = Literal["morphometry", "contrastive", "vgg3d"]
Volumes3 = tuple[float, float, float]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class VolumeConfig(_Strict):
    """Files of one volume; organelles: one labelled volume, or one per structure. origin_vox: of its corner in the data set."""

    image: str
    neurons: str
    organelles: str | dict[str, str]
    instances: str | None = None
    voxel_nm: Volumes3 | None = None
    origin_vox: tuple[int, int, int] = (0, 0, 0)


class LayoutConfig(_Strict):
    """Folders laid out as SynapseClusterEM has them: raw/NAME/slice_*.tif, seg/NAME/slice_*.tif, mask/bbox_N/slice_*.tif.

    volumes: which of them; all where it is empty.
    """

    kind: Literal["sce"] = "sce"
    raw: str
    seg: str
    mask: str
    voxel_nm: Volumes3
    volumes: tuple[str, ...] = ()


class FeaturesConfig(_Strict):
    """families: what stands for a synapse. model: a network of the zoo, a model folder or a checkpoint of the reference.

    layer: a module's number, "stage:2", "all_stages" or "standard", of vgg3d. random_weights: features of an untrained network.
    """

    families: tuple[Family, ...] = ("morphometry", "contrastive")
    model: str = "synapse-trunk"
    checkpoint: str | None = None
    random_weights: bool = False
    layer: int | str = 20
    pooling: str = "avg"
    batch: int = Field(8, ge=1)

    @model_validator(mode="after")
    def _has_weights(self) -> Self:
        if "vgg3d" in self.families and self.checkpoint is None and not self.random_weights:
            raise ValueError(
                "family vgg3d needs checkpoint: FILE, or random_weights: true to see what an untrained network gives"
            )
        return self


class ClustersConfig(_Strict):
    """families: what clusters are made of. k: their number; None lets the data choose, and the answer may be 1."""

    method: Literal["kmeans", "ward", "gaussians", "hdbscan", "dbscan"] = "kmeans"
    k: int | None = Field(None, ge=1)
    families: tuple[Family, ...] = ("morphometry",)
    correction: Literal["none", "z_per_volume", "robust_per_volume"] = "none"


class AttentionConfig(_Strict):
    """sites: for how many synapses maps are made (0: none); keys: these instead. layers: modules of the network, by number or
    name; where empty, the last of each stage but the first. target: "cluster", "cluster:2", "direction", "class:3", "like:KEY"
    or the name of a feature. blocks: along a side, for the check against hiding parts; 0 leaves it out.
    """

    sites: int = Field(12, ge=0)
    keys: tuple[str, ...] = ()
    layers: tuple[int | str, ...] = ()
    target: str = "cluster"
    blocks: int = Field(4, ge=0)


class ReportConfig(_Strict):
    """Masks and alphas that the comprehensive report compares. gifs: of all synapses, not only of the samples."""

    masks: tuple[str, ...] = ("11",)
    alphas: tuple[float, ...] = (1.0,)
    gifs: bool = False
    samples_per_cluster: int = Field(4, ge=1)


class LinksConfig(_Strict):
    """Where a synapse can be looked at: `template` with {x}, {y}, {z} in voxels of the data set."""

    template: str = "{base}#{x},{y},{z},0,0.905"
    base: str = ""


class StudyConfig(_Strict):
    """A whole study. columns: "neurotome", "sce", or which column is which. folder: that of the file, for relative paths."""

    name: str = "study"
    volumes: dict[str, VolumeConfig] = {}
    layout: LayoutConfig | None = None
    legend: str | dict[str, Any]
    sites: str
    columns: str | dict[str, str] = "neurotome"
    rounding: Literal["nearest"] | None = None
    snap_sides: bool = False
    crops: dict[str, Any] = {}
    look: dict[str, Any] = {}
    features: FeaturesConfig = FeaturesConfig()
    clusters: ClustersConfig = ClustersConfig()
    attention: AttentionConfig = AttentionConfig()
    report: ReportConfig = ReportConfig()
    labels: str | None = None
    links: LinksConfig = LinksConfig()
    folder: Path = Path()

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        wrong = []
        if bool(self.volumes) == (self.layout is not None):
            wrong.append("volumes, or layout: one of them says where the volumes are")
        if missing := set(self.clusters.families) - set(self.features.families):
            wrong.append(f"clusters.families has {', '.join(sorted(missing))}, which features.families has not")
        for make in (lambda: self.recipe, lambda: self.first_look, lambda: self.looks):
            try:
                make()
            except (NeurotomeError, TypeError) as error:
                wrong.append(str(error))
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    @property
    def recipe(self) -> CropRecipe:
        """How crops are cut; `profile: sce` in `crops` as the reference does it."""
        told = dict(self.crops)
        profile = told.pop("profile", "neurotome")
        if profile not in ("neurotome", "sce"):
            raise InputError(f"crops.profile is '{profile}'", "neurotome or sce")
        return CropRecipe.sce(**told) if profile == "sce" else CropRecipe(**told)

    @property
    def first_look(self) -> CropLook:
        """What the networks see."""
        return CropLook(**self.look)

    @property
    def looks(self) -> tuple[CropLook, ...]:
        """What the comprehensive report compares: each mask with each alpha."""
        return tuple(self.first_look.with_(mask=mask, alpha=alpha) for mask in self.report.masks for alpha in self.report.alphas)

    def path(self, given: str) -> str:
        """A path of the file as this process must write it; addresses stay as they are."""
        return given if "://" in given else str(self.folder / given)

    def path_or_name(self, given: str) -> str:
        """A path if there is something, else what it says: the name of a network or a legend that comes with the package."""
        path = self.path(given)
        return path if Path(path).exists() else given

    def resolved(self) -> dict[str, Any]:
        """As it stands in run.json."""
        return {**self.model_dump(mode="json", exclude={"folder"}), "folder": str(self.folder)}


def read_study(path: Path, changes: Mapping[str, Any] | None = None) -> StudyConfig:
    """Read and check a study; changes: keys that are put in the place of its own, "clusters.k" for one of a part.

    Raises MissingFileError, FormatError, and InputError with all that is wrong.
    """
    data = recipe_keys(path, "Study")
    for key, value in (changes or {}).items():
        part, _, name = key.partition(".")
        data[part] = {**(data.get(part) or {}), name: value} if name else value
    try:
        return StudyConfig(**{**data, "folder": path.parent.absolute()})
    except ValidationError as error:
        raise InputError(
            f"Study '{path}' is not valid: {all_mistakes(error)}", f"the keys of {EXAMPLE}", "correct them"
        ) from error
