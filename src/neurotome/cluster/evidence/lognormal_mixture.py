"""Is a positive number of one kind or of two?"""

from __future__ import annotations

import importlib
import warnings
from dataclasses import dataclass

import numpy as np

from neurotome.core import InputError, ValueRangeError

__all__ = ["LogNormals", "log_normals"]

FEWEST = 10


@dataclass(frozen=True)
class LogNormals:
    """parts: 1 or 2, whichever has the lower BIC. bic: of one and of two. Per part, the smaller median first: share, median
    (in the unit of the values), sigma (of the natural logarithm).
    """

    parts: int
    bic: tuple[float, float]
    share: tuple[float, ...]
    median: tuple[float, ...]
    sigma: tuple[float, ...]


def log_normals(values: np.ndarray, *, seed: int = 42) -> LogNormals:
    """Whether values (n,) > 0 are drawn from one log-normal distribution or from two; missing values are left out.

    Synapse sizes of cortex are two (Dorkenwald et al. 2022). Raises InputError for fewer than 10 values or equal ones,
    ValueRangeError for one that is not positive.
    """
    values = np.asarray(values, np.float64)
    values = values[~np.isnan(values)]
    if len(values) < FEWEST or np.ptp(values) == 0:
        raise InputError(f"{len(values)} values, {len(np.unique(values))} of them different", f"at least {FEWEST}, that differ")
    if not (values > 0).all() or not np.isfinite(values).all():
        raise ValueRangeError(f"The smallest value is {values.min():g}", "positive numbers", "leave out those that are not there")
    logs = np.log(values)
    # Where the logarithms lie must not matter to the floor under their variance.
    centre, spread = float(logs.mean()), float(logs.std())
    mixture = importlib.import_module("sklearn.mixture").GaussianMixture
    with warnings.catch_warnings():
        # Two parts on values of one kind hardly converge; their BIC is the worse one all the same.
        warnings.simplefilter("ignore", importlib.import_module("sklearn.exceptions").ConvergenceWarning)
        scaled = ((logs - centre) / spread)[:, None]
        models = [mixture(k, n_init=1 if k == 1 else 5, random_state=seed, max_iter=500).fit(scaled) for k in (1, 2)]
    bic = tuple(float(model.bic(scaled)) for model in models)
    best = models[int(np.argmin(bic))]
    order = np.argsort(best.means_[:, 0])
    median = np.exp(best.means_[order, 0] * spread + centre)
    sigma = np.sqrt(best.covariances_[order, 0, 0]) * spread
    return LogNormals(len(order), bic, tuple(best.weights_[order].tolist()), tuple(median.tolist()), tuple(sigma.tolist()))  # type: ignore[arg-type]
