import numpy as np
import pytest

from neurotome.cluster.evidence.lognormal_mixture import log_normals
from neurotome.core import InputError, ValueRangeError


def test_two_sizes_are_two_and_one_is_one():
    rng = np.random.default_rng(0)
    small, large = np.exp(-3 + 0.3 * rng.standard_normal(200)), np.exp(-1 + 0.3 * rng.standard_normal(100))
    two = log_normals(np.concatenate([small, large]))
    assert two.parts == 2
    assert two.share == pytest.approx((2 / 3, 1 / 3), abs=0.03)
    assert two.median == pytest.approx((np.exp(-3), np.exp(-1)), rel=0.1)
    assert two.sigma == pytest.approx((0.3, 0.3), abs=0.06)
    assert two.bic[1] < two.bic[0]
    one = log_normals(np.concatenate([small, [np.nan]]))
    assert (one.parts, one.share) == (1, (1.0,))
    assert one.median[0] == pytest.approx(np.exp(-3), rel=0.1)
    # In nanometres instead of micrometres: the same answer.
    assert log_normals(1e6 * small).bic == pytest.approx(one.bic)


def test_what_has_no_logarithm_is_refused():
    with pytest.raises(ValueRangeError, match="smallest value is 0"):
        log_normals(np.arange(20.0))
    with pytest.raises(InputError, match="5 values"):
        log_normals(np.arange(1.0, 6))
    with pytest.raises(InputError, match="1 of them different"):
        log_normals(np.ones(20))
