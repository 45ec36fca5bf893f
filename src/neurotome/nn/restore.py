"""Beginning with what another training has learnt: weights taken from a model, and the part of them that is to stay."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from neurotome.core import InputError, MissingFileError, ShapeError, UnknownNameError
from neurotome.nn.checkpoint_file import read_stored
from neurotome.nn.models import load_card, load_model

__all__ = ["BACKWARD", "freeze", "keep_as_is", "restore", "restore_checkpoint"]

BACKWARD = "backward"
"""Where in a model folder the generator from Y back to X is."""

WHAT = ("all", "generators", "both")
FROZEN = ("nothing", "core")


def restore(network: nn.Module, model: str | Path, what: str = "all") -> None:
    """Give `network` the weights of a zoo network or model folder.

    A plain network takes all of them. A translation task takes its generators (generators), as the training there left them its
    generators and discriminators (both), or these and what the optimisers remember (all).
    Raises ShapeError where weights do not fit, MissingFileError where the model does not have what is asked for.
    """
    if what not in WHAT:
        raise UnknownNameError("part to restore", what, WHAT)
    generators = getattr(network, "generators", None)
    if generators is None:
        if what == "both":
            raise InputError("restore both for a plain network, which has no discriminator", "all or generators", "use all")
        _fill(network, load_model(model)[0].state_dict(), str(model))
    elif what == "generators":
        folders = {"y": model, "x": load_card(model)[1] / BACKWARD}
        for domain, generator in generators.items():
            if not Path(folders[domain]).is_dir() and domain == "x":
                raise MissingFileError(
                    f"Model '{model}' has no folder '{BACKWARD}'", "a model trained by pix2pix2 or cyclegan", "use another model"
                )
            _fill(generator, load_model(folders[domain])[0].state_dict(), str(folders[domain]))
    else:
        _restore_training(network, generators, load_card(model)[1], what)


def freeze(network: nn.Module, what: str = "core") -> None:
    """Exclude the core of a generator, or of each generator of a translation task, from training: its statistics stay as well.

    The core is what lies between the encoder's and the decoder's end. Raises InputError for networks without one.
    """
    if what not in FROZEN:
        raise UnknownNameError("part to freeze", what, FROZEN)
    if what == "nothing":
        return
    if getattr(network, "moments", None):
        raise InputError(
            "freeze core after restore all, which brings what the optimisers remember of the core", "restore both", "what: both"
        )
    for generator in getattr(network, "generators", {"y": network}).values():
        if not hasattr(generator, "core_parameters"):
            raise InputError(
                f"Network '{type(generator).__name__}' has no core to freeze",
                "family: generator of kind dense, highway or resnet",
                "freeze: nothing",
            )
        core = {id(p) for p in generator.core_parameters()}
        for part in generator.modules():
            own = [p for p in part.parameters(recurse=False) if id(p) in core]
            for parameter in own:
                parameter.requires_grad_(False)
            if own and getattr(part, "running_mean", None) is not None:
                part.register_forward_pre_hook(_as_at_prediction)


def keep_as_is(modules: Iterable[nn.Module], *, statistics: Iterable[nn.Module] = ()) -> None:
    """Exclude whole parts of a network from training, parameters and statistics alike.

    statistics: further parts in which only the normalisations stay as they are.
    """
    for module in modules:
        module.requires_grad_(False)
        _keep_statistics(module)
    for module in statistics:
        for norm in _keep_statistics(module):
            norm.requires_grad_(False)


def restore_checkpoint(network: nn.Module, path: Path) -> None:
    """Give `network` the weights of a checkpoint file {state_dict, ...} of another project, with or without the prefix "module.".

    Raises FormatError for a file without weights, InputError naming what is missing and what is not expected.
    """
    stored = read_stored(path)
    state = stored.get("state_dict", stored) if isinstance(stored, dict) else {}
    state = {name.removeprefix("module."): tensor for name, tensor in state.items() if isinstance(tensor, torch.Tensor)}
    mine = network.state_dict()
    missing, unexpected = sorted(mine.keys() - state.keys()), sorted(state.keys() - mine.keys())
    if missing or unexpected:
        raise InputError(
            f"Checkpoint '{path}' is of another network: {_some(missing)} missing, {_some(unexpected)} unexpected",
            f"the {len(mine)} tensors of a {type(network).__name__}",
            "give the network the config it was trained with, or begin with another file",
        )
    _fill(network, state, str(path))


def _some(names: list[str]) -> str:
    return f"{', '.join(names[:3])}{f' and {len(names) - 3} more' if len(names) > 3 else ''}" if names else "nothing"


def _keep_statistics(module: nn.Module) -> list[nn.Module]:
    """The normalisations in a module, which from now on stop counting."""
    norms = [part for part in module.modules() if getattr(part, "running_mean", None) is not None]
    for norm in norms:
        norm.register_forward_pre_hook(_as_at_prediction)
    return norms


def _as_at_prediction(norm: nn.Module, _: Any) -> None:
    """A normalisation in training mode would go on counting."""
    norm.training = False


def _restore_training(task: Any, generators: nn.ModuleDict, folder: Path, what: str) -> None:
    """Generators, discriminators and, for `all`, the optimisers' state from the checkpoint that the model was made of."""
    checkpoints = [folder / "checkpoints" / name for name in ("best.ckpt", "last.ckpt")]
    path = next((c for c in checkpoints if c.is_file()), None)
    if path is None:
        raise MissingFileError(
            f"Model '{folder}' has no checkpoint, so no discriminator", "the folder of a whole training", "restore: generators"
        )
    checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    for part in ("generators", "discriminators"):
        prefix = f"{part}."
        state = {k.removeprefix(prefix): v for k, v in checkpoint["state_dict"].items() if k.startswith(prefix)}
        _fill(generators if part == "generators" else task.discriminators, state, f"{path}: {part}")
    if what == "all":
        task.moments = checkpoint["optimizer_states"]


def _fill(network: nn.Module, state: Mapping[str, torch.Tensor], source: str) -> None:
    mine = network.state_dict()
    remedy = "give the network the family and config of the model's card, or begin with another model"
    for name in (*mine, *state):
        shapes = [tuple(tensors[name].shape) if name in tensors else None for tensors in (state, mine)]
        if shapes[0] != shapes[1]:
            said = ["nothing" if s is None else f"{name} {s}" for s in shapes]
            raise ShapeError(f"'{source}' has {said[0]} where this network has {said[1]}", "weights of the same shapes", remedy)
    network.load_state_dict(dict(state))
