"""A trained network -> a file for programs without PyTorch."""

from __future__ import annotations

from pathlib import Path

from neurotome.core import FormatError, ModelCard
from neurotome.nn import load_model
from neurotome.nn.onnx import export_onnx

__all__ = ["write_onnx"]


def write_onnx(model: str | Path, out: Path) -> ModelCard:
    """`neurotome boundary onnx`. Returns the card, which also stands in the file."""
    if out.suffix.lower() != ".onnx":
        raise FormatError(f"Network file '{out}'", "a name that ends in .onnx", "choose another --out")
    network, card = load_model(model)
    out.parent.mkdir(parents=True, exist_ok=True)
    export_onnx(network, card, out)
    return card
