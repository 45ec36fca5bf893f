import importlib
import warnings

import numpy as np
import pytest

from neurotome.cluster.evidence.random_batches import mixed_model
from neurotome.core import InputError


def _rows(between, effect, seed=0):
    rng = np.random.default_rng(seed)
    labels, batches = rng.integers(3, size=200), rng.integers(6, size=200)
    shift = between * rng.standard_normal(6)
    return 10 + effect * (labels == 2) + shift[batches] + rng.standard_normal(200), labels, batches


def test_it_is_the_model_of_statsmodels():
    values, labels, batches = _rows(1.0, 0.8)
    found = mixed_model(values, labels, batches)
    model = importlib.import_module("statsmodels.regression.mixed_linear_model").MixedLM
    design = np.column_stack([np.ones(200), labels == 1, labels == 2]).astype(float)
    fitted = model(values, design, batches).fit(reml=True)
    np.testing.assert_allclose(found.terms["estimate"], fitted.fe_params, rtol=1e-4)
    np.testing.assert_allclose(found.terms["low"], fitted.conf_int()[:3, 0], atol=2e-3)
    np.testing.assert_allclose(found.terms["p"][1:], fitted.pvalues[1:3], rtol=0.02, atol=1e-6)
    np.testing.assert_allclose(found.batch_sd, np.sqrt(fitted.cov_re[0, 0]), rtol=1e-3)
    np.testing.assert_allclose(found.residual_sd, np.sqrt(fitted.scale), rtol=1e-4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        full, without = (model(values, d, batches).fit(reml=False).llf for d in (design, design[:, :1]))
    stats = importlib.import_module("scipy.stats")
    np.testing.assert_allclose(found.p, stats.chi2.sf(2 * (full - without), 2), rtol=1e-2)


def test_batches_that_do_not_differ_have_no_spread_of_their_own():
    values, labels, batches = _rows(0.0, 0.0, seed=3)
    batch_means = np.array([values[batches == b].mean() for b in range(6)])
    found = mixed_model(values - (batch_means - values.mean())[batches], labels, batches)
    assert found.batch_sd == 0
    assert found.residual_sd == pytest.approx(1, abs=0.1)


def test_p_is_uniform_where_labels_do_not_differ():
    p = np.array([mixed_model(*_rows(1.0, 0.0, seed=seed)).p for seed in range(50)])
    assert 0.0 <= (p <= 0.05).mean() <= 0.14
    assert 0.3 < (p <= 0.5).mean() < 0.7


def test_units_play_no_part():
    values, labels, batches = _rows(1.0, 0.8)
    values[3] = np.nan
    large = mixed_model(1e6 * values, labels, batches)
    small = mixed_model(values, labels, batches)
    np.testing.assert_allclose(large.terms["estimate"], 1e6 * small.terms["estimate"], rtol=1e-6)
    assert large.p == pytest.approx(small.p)


def test_one_batch_is_refused():
    with pytest.raises(InputError, match="9 rows of 3 labels in 1 batches"):
        mixed_model(np.arange(9.0), np.arange(9) % 3, np.zeros(9))
