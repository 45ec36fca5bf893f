"""Networks by name, and the folder a trained one lives in: `card.json` and `weights.safetensors`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save
from torch import nn

from neurotome.core import FormatError, InputError, MissingFileError, ModelCard, UnknownNameError
from neurotome.io import atomic_target, atomic_write_json
from neurotome.nn.occupancy.cube_autoencoder import CubeAutoencoder, CubeAutoencoderConfig
from neurotome.nn.occupancy.residual import VoxelAutoencoder, VoxelAutoencoderConfig
from neurotome.nn.translation.generators import Generator, GeneratorConfig
from neurotome.nn.unet import RSUNet3D, RSUNet3DConfig, UNet2D, UNet2DConfig
from neurotome.nn.unet_zambare import UNetZambare, UNetZambareConfig
from neurotome.nn.vgg3d.network import VGG3D, VGG3DConfig
from neurotome.nn.voxresnet import VoxResNet, VoxResNetConfig

__all__ = ["FAMILIES", "build", "load_card", "load_model", "probabilities", "receptive_halo", "save_model", "zoo_names"]

FAMILIES: dict[str, tuple[type[Any], type[Any]]] = {
    "unet2d": (UNet2D, UNet2DConfig),
    "rsunet3d": (RSUNet3D, RSUNet3DConfig),
    "unet_zambare": (UNetZambare, UNetZambareConfig),
    "generator": (Generator, GeneratorConfig),
    "voxresnet": (VoxResNet, VoxResNetConfig),
    "voxel_autoencoder": (VoxelAutoencoder, VoxelAutoencoderConfig),
    "cube_autoencoder": (CubeAutoencoder, CubeAutoencoderConfig),
    "vgg3d": (VGG3D, VGG3DConfig),
}


def build(family: str, config: Mapping[str, Any]) -> nn.Module:
    """A network with fresh weights. Raises UnknownNameError for the family, InputError for its options."""
    if family not in FAMILIES:
        raise UnknownNameError("network", family, FAMILIES)
    network, config_type = FAMILIES[family]
    known = set(config_type.__dataclass_fields__)
    if wrong := config.keys() - known:
        raise InputError(f"Network '{family}' has no option {', '.join(sorted(wrong))}", f"options {', '.join(sorted(known))}")
    return network(config_type(**{k: tuple(v) if isinstance(v, list) else v for k, v in config.items()}))


def probabilities(network: nn.Module, logits: torch.Tensor) -> torch.Tensor:
    """What the logits of a network mean, float32 (b, c, ...): each channel by itself, unless its `activation` is "softmax"."""
    if getattr(network, "activation", "sigmoid") == "softmax":
        return torch.softmax(logits.float(), dim=1)
    return torch.sigmoid(logits.float())


def receptive_halo(network: nn.Module) -> tuple[int, int, int]:
    """How far a box of outputs, aligned to the network's stride, must be grown to hold all it sees (z, y, x).

    Exact: in the network's `probe`, with positive weights and positive input, no path can cancel or be skipped. A network that
    answers for whole sections only sees all of them; its box is a section and need not be grown in y and x.
    """
    if network.whole_sections:
        return network.config.sections // 2, 0, 0
    probe = network.probe().double().eval()
    with torch.no_grad():
        for parameter in probe.parameters():
            # Averaging kernels: no path cancels, and nothing underflows however deep the network.
            parameter.fill_(1.0 / parameter[0].numel() if parameter.ndim > 1 else 1.0)
    z = _reach(probe, 0) if probe.ndim == 3 else probe.config.sections // 2
    return z, _reach(probe, 1), _reach(probe, 2)


def _reach(probe: nn.Module, axis: int) -> int:
    """How far the answers of one stride see along an axis, rounded up to strides; the image is as narrow as can be beside it."""
    stride = probe.stride[axis]
    shape, side = list(probe.stride), 8 * stride
    # One whole stride of outputs: voxels at different phases of the pooling grid see differently far.
    while True:
        shape[axis] = side
        x = torch.ones(1, probe.config.sections if probe.ndim == 2 else 1, *shape[3 - probe.ndim :], dtype=torch.float64)
        x.requires_grad_()
        along = axis - 3
        probe(x).narrow(along, side // 2, stride).sum().backward()
        used = x.grad.movedim(along, 0).flatten(1).any(1).nonzero()
        low, high = int(used.min()), int(used.max())
        if low > 0 and high < side - 1:
            reach = max(side // 2 - low, high - (side // 2 + stride - 1))
            return -(-reach // stride) * stride
        side *= 2


def save_model(folder: Path, network: nn.Module, card: ModelCard, *, half: bool = True) -> ModelCard:
    """Write card and weights; half precision keeps files small. Returns the card with the hash of the weights."""
    tensors = {k: v.detach().cpu().contiguous() for k, v in network.state_dict().items()}
    if half:
        tensors = {k: v.half() if v.is_floating_point() and "running" not in k else v for k, v in tensors.items()}
    weights = save(tensors)
    card = replace(card, weights_sha256=hashlib.sha256(weights).hexdigest())
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_target(folder / "weights.safetensors") as temporary:
        temporary.write_bytes(weights)
    atomic_write_json(folder / "card.json", card.to_json())
    return card


def zoo_names() -> tuple[str, ...]:
    """The networks that come with the package."""
    zoo = Path(str(files("neurotome"))) / "zoo"
    return tuple(sorted(p.parent.name for p in zoo.glob("*/card.json")))


def load_card(model: str | Path) -> tuple[ModelCard, Path]:
    """The card of a zoo network (by name) or of a folder, and that folder."""
    folder = Path(model)
    if not folder.is_dir():
        if str(model) not in zoo_names():
            raise UnknownNameError("model", str(model), zoo_names())
        folder = Path(str(files("neurotome"))) / "zoo" / str(model)
    path = folder / "card.json"
    if not path.is_file():
        raise MissingFileError(f"Folder '{folder}' has no card.json", "a model folder with card.json and weights.safetensors")
    try:
        data = json.loads(path.read_text())
    except json.JSONDecodeError as error:
        raise FormatError(f"Model card '{path}' is not JSON ({error})", "a card written by `neurotome boundary train`") from error
    return ModelCard.from_json(data, str(path)), folder


def load_model(model: str | Path) -> tuple[nn.Module, ModelCard]:
    """The network, in evaluation mode and float32, with its card. Never a random network: every problem is an error."""
    card, folder = load_card(model)
    path = folder / "weights.safetensors"
    if not path.is_file():
        raise MissingFileError(f"Weights '{path}' are missing", "the file that came with card.json", "copy both files")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != card.weights_sha256:
        raise FormatError(
            f"Weights '{path}' have sha256 {digest[:12]}", f"{card.weights_sha256[:12]} as the card says", "copy both files again"
        )
    network = build(card.family, card.config)
    try:
        network.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in load_file(path).items()})
    except RuntimeError as error:
        raise FormatError(
            f"Weights '{path}' do not fit the network of their card", "weights of the same config", str(error).splitlines()[0]
        ) from error
    if card.config["out_channels"] != len(card.channels):
        raise FormatError(
            f"Card '{folder}' names {len(card.channels)} channels for {card.config['out_channels']} outputs",
            "one name per output",
        )
    return network.eval(), card
