"""The classifiers that are tried, and their settings: support vectors, a random forest, logistic regression."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from neurotome.core import UnknownNameError

__all__ = ["FAMILIES", "GRIDS", "Candidate", "grid_of"]

FAMILIES = ("support_vectors", "random_forest", "logistic_regression")
PENALTIES = (0.5, 1, 3, 5, 10, 20, 30)
WEIGHTS = (None, "balanced")
DEPTHS = (2, 3, 5, 7, 10, 15, 20)


@dataclass(frozen=True)
class Candidate:
    """One classifier: a family and its settings, in the words of scikit-learn but for C = None: no penalty."""

    family: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    def model(self, seed: int) -> Any:
        """A fresh classifier of scikit-learn."""
        if self.family == "support_vectors":
            return importlib.import_module("sklearn.svm").SVC(cache_size=500, **self.settings)
        if self.family == "random_forest":
            forest = importlib.import_module("sklearn.ensemble").RandomForestClassifier
            return forest(n_estimators=100, random_state=seed, n_jobs=1, **self.settings)
        chosen = {"max_iter": 1000, "tol": 1e-3, **self.settings}
        mix, strength = chosen.pop("l1_ratio"), chosen.pop("C")
        # Only saga knows the l1 penalty; without it, lbfgs finds the same optimum in a fraction of the time.
        solver = "saga" if mix else "lbfgs"
        linear = importlib.import_module("sklearn.linear_model").LogisticRegression
        strength = np.inf if strength is None else strength
        return linear(l1_ratio=mix, C=strength, solver=solver, random_state=seed, **chosen)

    def named(self) -> str:
        """Family and settings as one text."""
        return f"{self.family}({', '.join(f'{name}={value}' for name, value in self.settings.items())})"


def _support_vectors(penalties: tuple, gammas: tuple, degrees: tuple, weights: tuple) -> list[Candidate]:
    # Only the polynomial kernel has a degree: with the radial one, the degrees would be repeats.
    kernels: list[dict[str, Any]] = [{"kernel": "rbf"}, *({"kernel": "poly", "degree": degree} for degree in degrees)]
    return [
        Candidate("support_vectors", {**kernel, "C": penalty, "gamma": gamma, "class_weight": weight})
        for kernel in kernels
        for penalty in penalties
        for gamma in gammas
        for weight in weights
    ]


def _logistic(penalties: tuple, mixes: tuple, weights: tuple, *, free: bool) -> list[Candidate]:
    settings = [{"C": penalty, "l1_ratio": mix} for mix in mixes for penalty in penalties]
    settings += [{"C": None, "l1_ratio": 0.0}] if free else []
    return [Candidate("logistic_regression", {**chosen, "class_weight": weight}) for chosen in settings for weight in weights]


def _forests(depths: tuple) -> list[Candidate]:
    return [Candidate("random_forest", {"max_depth": depth}) for depth in depths]


GRIDS: dict[str, tuple[Candidate, ...]] = {
    "full": (
        *_support_vectors(PENALTIES, (0.01, 0.1), (2, 3, 5, 7, 10), WEIGHTS),
        *_forests(DEPTHS),
        *_logistic(PENALTIES, (0.0, 1.0, 0.5), WEIGHTS, free=True),
    ),
    "quick": (
        *_support_vectors((1, 10), (0.01, 0.1), (), ("balanced",)),
        *_forests((5, 15)),
        *_logistic((0.5, 5), (0.0,), ("balanced",), free=False),
    ),
}
"""full: every different one of the 343 settings of VoxelMorph's three grids (219). quick: 8 of them, for a first look."""


def grid_of(name: str | tuple[Candidate, ...]) -> tuple[Candidate, ...]:
    """The candidates of a grid by its name; candidates of one's own as they are."""
    if not isinstance(name, str):
        return name
    if name not in GRIDS:
        raise UnknownNameError("grid", name, GRIDS)
    return GRIDS[name]
