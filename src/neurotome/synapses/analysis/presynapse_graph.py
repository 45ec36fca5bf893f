"""Who makes synapses onto whom: a graph of neurons, one edge per pair, with what its synapses are like."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from neurotome.cluster.tables import column_of, features_of
from neurotome.cluster.values import labelled
from neurotome.core import MissingExtraError
from neurotome.io.atomic import atomic_target, atomic_write_text
from neurotome.synapses.analysis.feature_matrix import column_families

if TYPE_CHECKING:
    from anndata import AnnData

__all__ = ["EDGE_COLUMNS", "connections", "write_graph"]

EDGE_COLUMNS = ("pre_id", "post_id", "volume", "synapses", "dominant_cluster", "clusters")
"""First columns of an edge; the mean of every measure follows."""


def connections(table: AnnData, *, measures: Sequence[str] | None = None) -> pd.DataFrame:
    """A row per presynaptic and postsynaptic neuron that are joined: `EDGE_COLUMNS` and the means of the measures.

    measures: columns of the table (default: all of its morphometry). Synapses of which a partner is unknown make no edge.
    """
    values, names = features_of(table)
    chosen = list(measures) if measures is not None else list(table.var_names[column_families(table) == "morphometry"])
    pre, post = column_of(table, "pre_id"), column_of(table, "post_id")
    known = labelled(pre) & labelled(post)
    columns = [names.index(name) for name in chosen]
    frame = pd.DataFrame(values[:, columns], columns=chosen)
    frame.insert(0, "pre_id", pre)
    frame.insert(1, "post_id", post)
    clusters, volumes = column_of(table, "cluster").astype(str), column_of(table, "volume")
    rows = []
    for (first, second), at in frame[known].groupby(["pre_id", "post_id"], sort=True).indices.items():
        members = np.flatnonzero(known)[at]
        kinds, counts = np.unique(clusters[members], return_counts=True)
        # A measure that none of these synapses has stays missing.
        means = frame.loc[members, chosen].mean()
        rows.append((first, second, volumes[members[0]], len(members), kinds[np.argmax(counts)], len(kinds), *means))
    return pd.DataFrame(rows, columns=[*EDGE_COLUMNS, *chosen])


def write_graph(path: Path | str, edges: pd.DataFrame) -> None:
    """Writes edges as GraphML and, beside it, as CSV. Missing means are left out of the GraphML. Raises MissingExtraError."""
    path = Path(path)
    graph = _graph(edges)
    with atomic_target(path) as temporary:
        _networkx().write_graphml_xml(graph, temporary)
    atomic_write_text(path.with_suffix(".csv"), edges.to_csv(index=False, lineterminator="\n"))


def _graph(edges: pd.DataFrame):  # type: ignore[no-untyped-def]
    graph = _networkx().DiGraph()
    for name in sorted({*edges["pre_id"], *edges["post_id"]}):
        outgoing, incoming = (int(edges.loc[edges[side] == name, "synapses"].sum()) for side in ("pre_id", "post_id"))
        graph.add_node(name, outgoing_synapses=outgoing, incoming_synapses=incoming)
    for row in edges.to_dict("records"):
        first, second = row.pop("pre_id"), row.pop("post_id")
        graph.add_edge(first, second, **{name: _plain(value) for name, value in row.items() if not pd.isna(value)})
    return graph


def _plain(value: object) -> object:
    return value.item() if isinstance(value, np.generic) else value


def _networkx():  # type: ignore[no-untyped-def]
    try:
        return importlib.import_module("networkx")
    except ImportError as missing:
        raise MissingExtraError("networkx", remedy="pip install networkx") from missing
