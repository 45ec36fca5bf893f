"""A trained network as an ONNX file, for programs that have no PyTorch."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import nn

from neurotome.core import InputError, MissingExtraError, ModelCard
from neurotome.io import atomic_target

__all__ = ["INPUT", "OUTPUT", "export_onnx"]

INPUT, OUTPUT = "image", "logits"
"""Names of what goes in and what comes out; what makes probabilities of it stands in the metadata, `activation`."""


def export_onnx(network: nn.Module, card: ModelCard, path: Path) -> None:
    """Write the network, in float32 and evaluation mode, with its card as the metadata entry "card" (JSON).

    Input (1, sections, y, x) or (1, 1, z, y, x), normalised as the card says; output logits (1, c, ...) of the same size. The
    sides may be any multiples of the network's stride: what fills other sizes up is left to the user of the file.

    Raises MissingExtraError without the packages of the extra "onnx", InputError for a network with random values at prediction.
    """
    for package in ("onnx", "onnxscript"):
        if find_spec(package) is None:
            raise MissingExtraError(package, "onnx")
    plain = deepcopy(network).cpu().float().eval()
    stride = plain.stride[3 - plain.ndim :]
    channels = plain.config.sections if plain.ndim == 2 else 1
    example = torch.zeros(1, channels, *(4 * side for side in stride))
    with _quietly(), atomic_target(path) as temporary:
        try:
            program = torch.onnx.export(
                plain,
                (example,),
                dynamo=True,
                dynamic_shapes=(_multiples(stride),),
                input_names=[INPUT],
                output_names=[OUTPUT],
                verbose=False,
            )
        except torch.onnx.errors.OnnxExporterError as error:
            raise InputError(
                f"Network '{card.name}' cannot be said in ONNX ({_cause(error)})",
                "a network that computes the same every time, without dropout at prediction",
                "train the corrected variant (legacy: false)",
            ) from error
        program.model.metadata_props["activation"] = getattr(plain, "activation", "sigmoid")
        program.model.metadata_props["card"] = json.dumps(card.to_json())
        program.save(temporary, external_data=False)


def _multiples(stride: tuple[int, ...]) -> dict[int, object]:
    """The axes whose length is left open, and what it must be a multiple of."""
    names = "zyx"[-len(stride) :]
    return {
        axis: side * torch.export.Dim(name) if side > 1 else torch.export.Dim(name)
        for axis, (name, side) in enumerate(zip(names, stride, strict=True), 2)
    }


def _cause(error: BaseException) -> str:
    """The first line of the error beneath the others."""
    while error.__cause__ is not None:
        error = error.__cause__
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"


@contextmanager
def _quietly() -> Iterator[None]:
    """The exporter speaks of its own construction and of packages that it does not need here."""
    log = logging.getLogger("torch.onnx")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            warnings.simplefilter("ignore", DeprecationWarning)
            yield
    finally:
        log.setLevel(before)
