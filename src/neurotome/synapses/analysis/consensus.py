"""One answer per neuron from the labels of its synapses."""

from __future__ import annotations

from math import comb

import numpy as np
import pandas as pd

from neurotome.cluster.values import codes_of, labelled, same_length
from neurotome.core import ValueRangeError

__all__ = ["CONSENSUS_COLUMNS", "majority_accuracy", "neuron_consensus"]

CONSENSUS_COLUMNS = ("neuron", "synapses", "label", "votes", "share", "second", "tie")


def neuron_consensus(neurons: np.ndarray, labels: np.ndarray, weights: np.ndarray | None = None) -> pd.DataFrame:
    """`CONSENSUS_COLUMNS` per neuron: the label (n,) that most of its synapses have; rows without neuron or label do not vote.

    weights (n,): how much each vote counts, such as the confidence in its label. share: of the votes for the winner; second: the
    label with the next most, "" where there is none; tie: whether they have as many, and the winner is only the first by name.
    """
    same_length(len(neurons), labels=labels, weights=weights)
    known = labelled(neurons) & labelled(labels)
    weights = np.ones(len(neurons)) if weights is None else np.asarray(weights, np.float64)
    if not known.any():
        return pd.DataFrame({name: [] for name in CONSENSUS_COLUMNS})
    owner, owners = codes_of(np.asarray(neurons, object)[known], "neurons")
    kind, kinds = codes_of(np.asarray(labels, object)[known])
    votes = np.zeros((len(owners), len(kinds)))
    np.add.at(votes, (owner, kind), weights[known])
    rows = []
    for at, name in enumerate(owners):
        first, *others = np.argsort(-votes[at], kind="stable")
        second = kinds[others[0]] if others and votes[at, others[0]] > 0 else ""
        tie = bool(second) and bool(np.isclose(votes[at, others[0]], votes[at, first]))
        share = votes[at, first] / votes[at].sum() if votes[at].sum() > 0 else np.nan
        rows.append((name, int((owner == at).sum()), kinds[first], votes[at, first], share, second, tie))
    return pd.DataFrame(rows, columns=list(CONSENSUS_COLUMNS))


def majority_accuracy(synapses: int, accuracy: float) -> float:
    """How often the majority of so many independent answers, each right this often, is right; a tie is right half of the time.

    >>> round(majority_accuracy(11, 0.8), 4)
    0.9883
    """
    if synapses < 1 or not 0 <= accuracy <= 1:
        raise ValueRangeError(f"{synapses} synapses, accuracy {accuracy:g}", "1 or more, and 0 to 1")
    terms = (comb(synapses, right) * accuracy**right * (1 - accuracy) ** (synapses - right) for right in range(synapses + 1))
    return sum(term * (1.0 if 2 * right > synapses else 0.5 * (2 * right == synapses)) for right, term in enumerate(terms))
