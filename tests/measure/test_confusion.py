"""Agreement of classes, voxel by voxel."""

import numpy as np
import pytest

from neurotome.core import InputError
from neurotome.measure import class_overlap, class_scores, contingency

TRUTH = np.array([[[0, 0, 1, 1, 1, 2, 2, 0]]])
PREDICTED = np.array([[[0, 1, 1, 1, 0, 0, 0, 2]]])


def test_scores_of_each_class():
    scores = class_scores(PREDICTED, TRUTH, {1: "membrane", 2: "synapse"})
    found = {(s.metric, s.convention): s.value for s in scores}
    # Membrane: 2 voxels agree, one only predicted, one only true. Synapse: nothing agrees, so no conformity.
    assert found == pytest.approx(
        {
            ("jaccard", "class membrane"): 1 / 2,
            ("dice", "class membrane"): 2 / 3,
            ("conformity", "class membrane"): 0,
            ("jaccard", "class synapse"): 0,
            ("dice", "class synapse"): 0,
        }
    )


def test_class_0_is_a_class():
    overlap = class_overlap(contingency(TRUTH, PREDICTED), 0)
    assert (overlap.both, overlap.only_predicted, overlap.only_truth) == (1, 3, 2)
    assert overlap.conformity == pytest.approx((2 / 6 - 1) / (1 / 6))


def test_a_class_that_never_occurs_has_no_score():
    with pytest.raises(InputError, match="Class 7 occurs neither"):
        class_scores(PREDICTED, TRUTH, {7: "vesicle"})


def test_nothing_in_common_is_minus_infinity():
    assert class_overlap(contingency(TRUTH, PREDICTED), 2).conformity == -np.inf
