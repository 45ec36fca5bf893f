"""Checkpoints of VGG3D: every tensor fits, or nothing is loaded and the differences are named.

The reference, alim98/SynapseClusterEM, expects the neurotransmitter classifier of funkelab/synister for the fly hemibrain (8 nm,
grey values x / 127.5 - 1). A file that could not be loaded left it with random weights and the report of a success; here it is an
error. The number of classes is read from the file, so that other classifiers of the same build fit as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

from neurotome.core import ModelCard
from neurotome.io import sha256
from neurotome.nn.checkpoint_file import CheckpointError, filled, read_stored, tensors_of
from neurotome.nn.vgg3d.network import VGG3D, VGG3DConfig

__all__ = ["VGG3DCheckpoint", "read_vgg3d_checkpoint"]

NORMALIZATION = "synister"
_LAST = "classifier.6.weight"
_CLASSIFIER = "classifier."


@dataclass(frozen=True, eq=False)
class VGG3DCheckpoint:
    """A network in evaluation mode and where it came from. classes: None for a file that holds the trunk alone."""

    network: VGG3D
    name: str
    sha256: str
    classes: int | None

    def card(self) -> ModelCard:
        """To keep the network with `save_model`; grey values and voxel size are those of the file that the reference expects."""
        return ModelCard(
            name=self.name,
            family="vgg3d",
            config=asdict(self.network.config),
            channels=("class" if self.classes else "features",),
            voxel_nm=(8.0, 8.0, 8.0),
            normalization=NORMALIZATION,
            halo_vox=(0, 0, 0),
            training={"checkpoint_sha256": self.sha256, "classes": self.classes},
            cite=("funkelab/synister", "alim98/SynapseClusterEM"),
        )


def read_vgg3d_checkpoint(path: Path | str, config: VGG3DConfig | None = None, *, trunk_only: bool = False) -> VGG3DCheckpoint:
    """The network of a checkpoint file: {"model_state_dict": tensors}, tensors by name, or .safetensors; "module." is left out.

    config: what the file should fit, its number of classes aside. trunk_only: leave the classifier out, once it has been checked.
    Raises CheckpointError for a file that is missing, empty, damaged, fits in part only or holds what is not finite.
    """
    path = Path(path)
    tensors = tensors_of(read_stored(path), str(path))
    classes = _classes(tensors, str(path))
    config = replace(config or VGG3DConfig(), classes=classes)
    # On paper first: half a gigabyte of weights need not be drawn to be replaced.
    with torch.device("meta"):
        network = VGG3D(config)
    filled(network, tensors, str(path))
    if trunk_only:
        network.classifier, network.config = None, replace(config, classes=None)
    return VGG3DCheckpoint(network.eval(), path.stem, sha256(path), None if trunk_only else classes)


def _classes(tensors: Mapping[str, torch.Tensor], source: str) -> int | None:
    """How many classes the classifier of a file has; None if it has no classifier at all."""
    if not any(name.startswith(_CLASSIFIER) for name in tensors):
        return None
    last = tensors.get(_LAST)
    if last is None or last.ndim != 2 or not len(last):
        said = "missing" if last is None else f"of shape {tuple(last.shape)}"
        raise CheckpointError(
            f"Checkpoint '{source}' does not fit: {_LAST} {said}", "a classifier with one row per class", "use a whole file"
        )
    return len(last)
