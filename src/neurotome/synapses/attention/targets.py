"""What attention explains of a synapse, named as in a study: always a number of the network's answer, never "the network"."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from neurotome.cluster.tables import column_of
from neurotome.core import InputError, UnknownNameError
from neurotome.nn.attribution import Target, cluster_target, feature_target, likeness_target
from neurotome.synapses.attention.networks import Explainable
from neurotome.synapses.views.show import CropSource

if TYPE_CHECKING:
    from anndata import AnnData

__all__ = ["Explanation", "clusters_of", "embedding_of", "explanation", "row_of"]

_NOISE = ("-1", "None", "nan")
FORMS = ("cluster", "cluster:NAME", "direction", "class:NUMBER", "like:KEY")


@dataclass(frozen=True, eq=False)
class Explanation:
    """of: from a key to the target that is explained of its synapse. said: the same in words."""

    said: str
    of: Callable[[str], Target]


def explanation(wanted: str, table: AnnData, crops: CropSource, network: Explainable) -> Explanation:
    """What a target means for these synapses: one of `FORMS`, or the name of a feature of the network.

    cluster     nearer to a synapse's own cluster than to the next one; with one cluster as direction
    cluster:2   nearer to cluster 2 than to the next one, whatever cluster a synapse is of
    direction   along the first principal axis of the features
    class:1     the logit of a class, counted from 0
    like:KEY    cosine to the answer for another synapse
    Raises UnknownNameError for other names, InputError for clusters and features that the table has not, and classes of a network
    without classifier.
    """
    kind, _, name = wanted.partition(":")
    if kind == "class" and name.isdigit():
        return _class(int(name), network)
    if kind == "like" and name:
        return _likeness(name, crops, network)
    features = _Features.of(table, network)
    if wanted == "cluster" and len(features.centres) > 1:
        return features.own_cluster()
    if kind == "cluster" and name:
        return features.one_cluster(name)
    if wanted in ("cluster", "direction"):
        return features.direction()
    if wanted not in features.names:
        raise UnknownNameError("target of attention", wanted, (*FORMS, *features.names))
    number = features.names.index(wanted)
    return Explanation(f"feature {wanted}", lambda key: feature_target(number))


def embedding_of(table: AnnData, family: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Columns of a family, (n, d) float32, and their names. Raises InputError where the table has none."""
    where = (table.var["family"] == family).to_numpy() if "family" in table.var else np.zeros(table.n_vars, bool)
    if not where.any():
        raise InputError(f"A table without {family} features", f"the family {family} among its features", "add it to the study")
    return np.asarray(table.X[:, where], dtype=np.float32), tuple(map(str, table.var_names[where]))


def clusters_of(table: AnnData) -> np.ndarray:
    """The name of each row's cluster (n,); "0" of all where there are no clusters."""
    return column_of(table, "cluster").astype(str) if "cluster" in table.obs else np.full(table.n_obs, "0")


def row_of(crops: CropSource, key: str) -> int:
    """The row of a key. Raises UnknownNameError."""
    rows = np.flatnonzero(crops.sites.index == key)
    if not len(rows):
        raise UnknownNameError("synapse", key, map(str, crops.sites.index))
    return int(rows[0])


def _class(number: int, network: Explainable) -> Explanation:
    if not network.classes:
        raise InputError(f"Class {number} of {network.name}, which has no classifier", "a target such as cluster or direction")
    if number >= network.classes:
        raise UnknownNameError("class", str(number), map(str, range(network.classes)))
    return Explanation(f"class {number}", lambda key: feature_target(number))


def _likeness(key: str, crops: CropSource, network: Explainable) -> Explanation:
    seen = network.seen(crops, row_of(crops, key))
    with torch.no_grad():
        answer = network(torch.from_numpy(seen.values)[None, None])[0]
    target = likeness_target(answer)

    def of(other: str) -> Target:
        if other == key:
            raise InputError(f"Likeness of '{key}' to itself, which nothing adds to", "another synapse", "choose other keys")
        return target

    return Explanation(f"likeness to {key}", of)


@dataclass(frozen=True, eq=False)
class _Features:
    """Features that the network's answers are, and where clusters lie when each has standard deviation 1."""

    values: np.ndarray
    names: tuple[str, ...]
    mean: np.ndarray
    scale: np.ndarray
    cluster_of: Mapping[str, str]
    centres: Mapping[str, np.ndarray]

    @classmethod
    def of(cls, table: AnnData, network: Explainable) -> _Features:
        if network.classes:
            raise InputError(
                f"{network.name} answers with {network.classes} classes, not with features",
                "class:NUMBER or like:KEY",
                "name the layer that the features are of, to explain clusters",
            )
        values, names = embedding_of(table, network.family)
        mean, scale, clusters = values.mean(0), np.maximum(values.std(0), 1e-6), clusters_of(table)
        known = [name for name in sorted(set(clusters)) if name not in _NOISE]
        centres = {name: ((values[clusters == name] - mean) / scale).mean(0) for name in known}
        return cls(values, names, mean, scale, dict(zip(map(str, table.obs_names), clusters, strict=True)), centres)

    def own_cluster(self) -> Explanation:
        # What belongs to no cluster is explained towards the first.
        of, first = self.cluster_of, next(iter(self.centres))
        targets = {name: self._towards(name) for name in self.centres}
        return Explanation("towards its own cluster", lambda key: targets.get(of.get(key, first), targets[first]))

    def one_cluster(self, name: str) -> Explanation:
        if name not in self.centres:
            raise UnknownNameError("cluster", name, self.centres)
        if len(self.centres) < 2:
            raise InputError(
                f"Attention towards cluster {name}, the only one", "two clusters or more", "explain direction instead"
            )
        target = self._towards(name)
        return Explanation(f"towards cluster {name}", lambda key: target)

    def direction(self) -> Explanation:
        axis = np.linalg.svd((self.values - self.mean) / self.scale, full_matrices=False)[2][0]
        # Its sign is free; so the answer is the same on every machine.
        axis = axis * np.sign(axis[np.argmax(np.abs(axis))])
        weights = _tensor(axis / self.scale)
        return Explanation(
            "along the first principal axis of the features", lambda key: lambda answers: answers @ weights.to(answers)
        )

    def _towards(self, name: str) -> Target:
        centres, number = _tensor(np.stack(list(self.centres.values()))), list(self.centres).index(name)
        return cluster_target(centres, number, _tensor(self.mean), _tensor(self.scale))


def _tensor(values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.asarray(values, dtype=np.float32))
