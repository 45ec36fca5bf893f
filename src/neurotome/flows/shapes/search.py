"""The neurons that are most like one: of the same table, or from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from neurotome import morphology
from neurotome.core import InputError
from neurotome.flows.shapes.files import given_shapes
from neurotome.io import read_feature_table
from neurotome.report.results import record_of

__all__ = ["search_shapes"]


def search_shapes(out: Path, neuron: str, *, top: int = 10, unit: str | None = None) -> list[dict[str, Any]]:
    """`neurotome morphology search`: rank, neuron, distance and labels of the nearest, nearest first.

    neuron: an id of the table in `out`, or a file, which is embedded by the encoder that the table was made with.
    """
    table = read_feature_table(out / "embedding.h5ad")
    if neuron in table.obs_names or not Path(neuron).exists():
        return morphology.neighbours_of(table, neuron, top)
    given = given_shapes([neuron], unit)
    if len(given) > 1:
        raise InputError(f"'{neuron}' holds {len(given)} neurons", "one", "give the file of one neuron")
    trained = out / "model"
    model = trained if trained.is_dir() else record_of(out)["config"].get("model") or morphology.DEFAULT_ENCODER
    return morphology.neighbours_of_shape(table, given[0], morphology.load_encoder(model), top)
