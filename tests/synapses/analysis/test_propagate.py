import numpy as np
import pytest

from neurotome.cluster.prediction.propagation import calibration_error
from neurotome.core import InputError, UnknownNameError
from neurotome.synapses.analysis import propagate_labels, synapses_to_label


def test_a_label_of_each_kind_is_carried_to_all(grouped):
    table, _ = grouped
    chosen = synapses_to_label(table, 6)
    assert len(set(chosen)) == 6
    assert set(table.obs.loc[chosen, "kind"]) == {"kind 0", "kind 1", "kind 2"}
    table.obs["told"] = table.obs["kind"].where(table.obs_names.isin(chosen), None).astype(object)
    found = propagate_labels(table, "told")
    right = (table.obs["told_propagated"].astype(str) == table.obs["kind"]).to_numpy()
    assert right.mean() >= 0.95
    assert (table.obs.loc[chosen, "told_confidence"] == 1).all()
    assert calibration_error(found.confidence, right) <= 0.12
    with pytest.raises(UnknownNameError, match="Unknown column 'tol'"):
        propagate_labels(table, "tol")
    table.obs["one"] = np.where(table.obs_names.isin(chosen[:1]), "x", "")
    with pytest.raises(InputError, match="1 labelled rows of 1 kinds"):
        propagate_labels(table, "one")
