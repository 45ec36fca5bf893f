"""Checkpoint files of PyTorch and safetensors, of this project or another: tensors and plain values, never code."""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from neurotome.core import FormatError

__all__ = ["CheckpointError", "filled", "read_stored", "tensors_of"]

_NAMED = 10
_WRAPPERS = ("model_state_dict", "state_dict")
_PARALLEL = "module."


class CheckpointError(FormatError):
    """A checkpoint is not there, cannot be read or is not of the network it should be of; nothing of it was used."""


def read_stored(path: Path | str) -> Any:
    """What a file holds, on the CPU: a mapping of tensors for .safetensors, whatever torch.save was given for others.

    Raises CheckpointError for a file that is not there, is empty, damaged, or holds more than tensors and plain values.
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"Checkpoint '{path}' does not exist", "a file of weights", "check the path")
    if not path.stat().st_size:
        raise CheckpointError(f"Checkpoint '{path}' is empty (0 bytes)", "a file of weights", "download or copy it again")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    # What a damaged file makes of the reader depends on the byte at which the damage begins.
    except (
        pickle.UnpicklingError,
        SafetensorError,
        RuntimeError,
        EOFError,
        LookupError,
        TypeError,
        ValueError,
        OSError,
    ) as error:
        said = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise CheckpointError(
            f"Checkpoint '{path}' cannot be read ({said})", "tensors and plain values only", "copy it again, or save it anew"
        ) from error


def tensors_of(stored: Any, source: str) -> dict[str, torch.Tensor]:
    """Tensors by name, out of what training scripts commonly wrap them in, without the prefix that parallel training adds.

    Raises CheckpointError where there are none.
    """
    for wrapper in _WRAPPERS:
        if isinstance(stored, Mapping) and isinstance(stored.get(wrapper), Mapping):
            stored = stored[wrapper]
    found = stored if isinstance(stored, Mapping) else {}
    tensors = {str(k).removeprefix(_PARALLEL): v for k, v in found.items() if isinstance(v, torch.Tensor)}
    if not tensors:
        raise CheckpointError(f"Checkpoint '{source}' holds no tensors by name", "weights of a network", "use another file")
    return tensors


def filled(network: nn.Module, tensors: Mapping[str, torch.Tensor], source: str) -> nn.Module:
    """The network, which may be on the meta device, with these float32 weights. All of them fit, or CheckpointError says which.

    Up to ten names are given of those that are missing, unexpected, of another shape, and not finite.
    """
    mine = network.state_dict()
    shared = [name for name in mine if name in tensors]
    shapes = [
        f"{name} {tuple(tensors[name].shape)} instead of {tuple(mine[name].shape)}"
        for name in shared
        if tensors[name].shape != mine[name].shape
    ]
    problems = {
        "missing": [name for name in mine if name not in tensors],
        "unexpected": [name for name in tensors if name not in mine],
        "of another shape": shapes,
        "not numbers that a network can have": [name for name in shared if not _usable(name, tensors[name])],
    }
    told = [f"{_some(names)} {what}" for what, names in problems.items() if names]
    if told:
        raise CheckpointError(
            f"Checkpoint '{source}' does not fit: {'; '.join(told)}",
            f"the {len(mine)} finite tensors of a {type(network).__name__}",
            "give the file this network was trained into",
        )
    state = {name: tensors[name].to(mine[name].dtype).contiguous() for name in mine}
    network.load_state_dict(state, assign=True)
    return network


def _usable(name: str, tensor: torch.Tensor) -> bool:
    if tensor.is_complex() or not bool(torch.isfinite(tensor).all()):
        return False
    return not name.endswith("running_var") or bool((tensor >= 0).all())


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"
