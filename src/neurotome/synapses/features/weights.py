"""Networks that features come from, with what must be known of their weights. Random ones only where they are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from neurotome.core import InputError
from neurotome.nn import load_model
from neurotome.nn.vgg3d import VGG3D, VGG3DConfig, read_vgg3d_checkpoint

__all__ = ["FeatureNetwork", "feature_network"]

_CHECKPOINTS = (".pth", ".pt", ".ckpt", ".checkpoint", ".bin", ".safetensors")
_REFERENCE = "fly hemibrain at 8 nm, to tell neurotransmitters apart"


@dataclass(frozen=True, eq=False)
class FeatureNetwork:
    """A VGG3D and where its weights came from.

    sha256: of the weights' file; "" where there is none. random: nothing was learnt. normalization: of the grey values that the
    weights were made with; "" where unknown. trained_on: in words.
    """

    network: VGG3D
    name: str
    sha256: str = ""
    random: bool = False
    normalization: str = ""
    trained_on: str = ""

    def notice(self, normalization: str, voxel_nm: tuple[float, ...] = ()) -> str:
        """What a reader of the results must know of how far the weights are from these data."""
        if self.random:
            return f"Features are of '{self.name}', which has learnt nothing."
        learnt_from = self.trained_on or "data that its file does not name"
        sizes = f" at {' x '.join(f'{size:g}' for size in voxel_nm)} nm" if voxel_nm else ""
        told = [f"Network '{self.name}' was trained on {learnt_from}; here it sees crops{sizes}"]
        told.append("with grey outside the mask, which it may not have met before")
        if self.normalization and self.normalization != normalization:
            told.append(f"and grey values by '{normalization}' where it learnt from '{self.normalization}'")
        return f"{', '.join(told)}."


def feature_network(model: str | Path | None = None, *, random_weights: bool = False, seed: int = 0) -> FeatureNetwork:
    """The network of the zoo, a model folder or a checkpoint file; without training only if random_weights says so.

    Raises InputError for neither, both, and a network of another family, CheckpointError for a file that does not fit whole,
    UnknownNameError naming the networks of the zoo.
    """
    if random_weights:
        if model is not None:
            raise InputError(f"Random weights and model '{model}'", "one of the two", "leave one out")
        return FeatureNetwork(_untrained(seed), f"random weights of seed {seed}", random=True)
    if model is None:
        raise InputError(
            "No network for features",
            "a network of the zoo, a model folder or a checkpoint file",
            "give a model, or ask for random weights to see what an untrained network says",
        )
    path = Path(model)
    if path.is_file() or path.suffix in _CHECKPOINTS:
        read = read_vgg3d_checkpoint(path, trunk_only=True)
        return FeatureNetwork(
            read.network, path.name, read.sha256, normalization=read.card().normalization, trained_on=_REFERENCE
        )
    network, card = load_model(model)
    if not isinstance(network, VGG3D):
        raise InputError(f"Network '{card.name}' is a {card.family}", "a vgg3d", "take another model")
    trained_on = card.summary or ", ".join(card.trained_on)
    return FeatureNetwork(network, card.name, card.weights_sha256, normalization=card.normalization, trained_on=trained_on)


def _untrained(seed: int) -> VGG3D:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return VGG3D(VGG3DConfig()).eval()
