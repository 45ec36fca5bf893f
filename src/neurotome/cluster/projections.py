"""Maps of a table in two or three dimensions: PCA, UMAP, t-SNE. For looking: clusters come from the table itself."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from neurotome.cluster.values import numbers_of
from neurotome.core import MissingExtraError, UnknownNameError, ValueRangeError

__all__ = [
    "MAPS",
    "PrincipalAxes",
    "Projection",
    "condensed",
    "condensing_axes",
    "pca_map",
    "principal_axes",
    "project_rows",
    "tsne_map",
    "umap_map",
]

SEED = 42
LARGEST_PERPLEXITY = 300
FEWEST_ROWS = 4
"""With fewer rows than this, a neighbourhood map shows nothing, and umap-learn fails: PCA is given instead, with a note."""


@dataclass(frozen=True, eq=False)
class Projection:
    """A map: coordinates (n, 2 or 3) float32, the settings that were used, and a note where these are not those asked for."""

    name: str
    coordinates: np.ndarray
    settings: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True, eq=False)
class PrincipalAxes:
    """mean (p,), axes (k, p) with the largest absolute entry of each positive, share (k,) of the variance along each."""

    mean: np.ndarray
    axes: np.ndarray
    share: np.ndarray

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Coordinates (n, k) along the axes."""
        return (numbers_of(values) - self.mean) @ self.axes.T


def principal_axes(values: np.ndarray, most: int | None = None) -> PrincipalAxes:
    """The orthogonal directions of largest variance of values (n, p), at most min(n, p) and `most` of them.

    >>> found = principal_axes(np.array([[0.0, 0], [2, 1], [4, 2]]))
    >>> found.axes[0].round(3).tolist(), found.share.round(3).tolist()
    ([0.894, 0.447], [1.0, 0.0])
    """
    values = numbers_of(values).astype(np.float64)
    mean = values.mean(0)
    _, lengths, axes = np.linalg.svd(values - mean, full_matrices=False)
    signs = np.sign(axes[np.arange(len(axes)), np.argmax(np.abs(axes), axis=1)])
    variance = lengths**2
    share = variance / variance.sum() if variance.sum() > 0 else np.zeros(len(variance))
    return PrincipalAxes(mean, (axes * np.where(signs == 0, 1, signs)[:, None])[:most], share[:most])


def condensed(values: np.ndarray, *, share: float = 0.95, most: int = 50) -> np.ndarray:
    """values (n, p) as they are if p <= most, else the principal components that hold this share of the variance, at most `most`.

    >>> condensed(np.eye(4)).shape, condensed(np.eye(80), most=50).shape
    ((4, 4), (80, 50))
    """
    values = numbers_of(values).astype(np.float64)
    axes = condensing_axes(values, share=share, most=most)
    return values if axes is None else axes.apply(values)


def condensing_axes(values: np.ndarray, *, share: float = 0.95, most: int = 50) -> PrincipalAxes | None:
    """What `condensed` applies, for other rows of the same kind; None where it leaves the columns as they are."""
    if values.shape[1] <= most:
        return None
    axes = principal_axes(values)
    enough = min(int(np.searchsorted(np.cumsum(axes.share), share)) + 1, most)
    return PrincipalAxes(axes.mean, axes.axes[:enough], axes.share[:enough])


def pca_map(values: np.ndarray, dimensions: int = 2) -> Projection:
    """The first principal components; columns beyond the rank of the table are 0."""
    axes = principal_axes(values, dimensions)
    coordinates = np.zeros((len(values), dimensions), np.float32)
    coordinates[:, : len(axes.axes)] = axes.apply(values)
    return Projection("pca", coordinates, {"variance_share": axes.share.tolist()})


def umap_map(
    values: np.ndarray, dimensions: int = 2, *, n_neighbors: int = 15, min_dist: float = 0.1, seed: int = SEED
) -> Projection:
    """UMAP with Euclidean distances; the same coordinates in two runs on one machine, not on all (umap issue 153).

    Neighbours are lowered to n - 1, which the settings then say. Source: McInnes, Healy and Melville 2018.
    """
    values = numbers_of(values)
    if len(values) < FEWEST_ROWS:
        return _too_few(values, dimensions)
    used = min(n_neighbors, len(values) - 1)
    umap = _umap()
    # With so few rows the spectral start has no solution.
    start = "spectral" if len(values) > 2 * dimensions + 2 else "random"
    model = umap.UMAP(
        n_components=dimensions, n_neighbors=used, min_dist=min_dist, random_state=seed, n_jobs=1, init=start, metric="euclidean"
    )
    with warnings.catch_warnings():
        # Rows in separate groups have no connected graph; UMAP then places the groups and says so.
        warnings.filterwarnings("ignore", category=UserWarning)
        coordinates = model.fit_transform(values)
    note = f"n_neighbors lowered from {n_neighbors} to {used}: there are {len(values)} rows" if used < n_neighbors else ""
    settings = {"n_neighbors": used, "min_dist": min_dist, "metric": "euclidean", "seed": seed}
    return Projection("umap", np.asarray(coordinates, np.float32), settings, note)


def tsne_map(
    values: np.ndarray,
    dimensions: int = 2,
    *,
    perplexity: float | None = None,
    largest: float = LARGEST_PERPLEXITY,
    seed: int = SEED,
) -> Projection:
    """t-SNE by openTSNE, Euclidean, from a PCA start. perplexity None: `largest`, or (n - 1) / 3 where that is less.

    Raises ValueRangeError for a perplexity of n / 3 or more. Source: Policar, Strazar and Zupan 2024; van der Maaten 2014.
    """
    values = numbers_of(values)
    if len(values) < FEWEST_ROWS:
        return _too_few(values, dimensions)
    legal = (len(values) - 1) / 3
    if perplexity is not None and not 0 < perplexity <= legal:
        raise ValueRangeError(
            f"perplexity = {perplexity:g} for {len(values)} rows",
            f"more than 0 and at most {legal:.1f}, a third of the other rows",
            "leave it out to have it chosen",
        )
    used = min(largest, legal) if perplexity is None else perplexity
    note = (
        f"perplexity lowered from {largest:g} to {used:.1f}: there are {len(values)} rows"
        if perplexity is None and used < largest
        else ""
    )
    model = importlib.import_module("openTSNE").TSNE(
        n_components=dimensions,
        perplexity=used,
        metric="euclidean",
        initialization="pca",
        neighbors="exact" if len(values) <= 20_000 else "auto",
        negative_gradient_method="auto" if dimensions < 3 else "bh",
        random_state=seed,
        n_jobs=1,
    )
    settings = {"perplexity": float(used), "metric": "euclidean", "start": "pca", "seed": seed}
    return Projection("tsne", np.asarray(model.fit(values), np.float32), settings, note)


MAPS = {"pca": pca_map, "umap": umap_map, "tsne": tsne_map}


def project_rows(values: np.ndarray, name: str, dimensions: int = 2, **settings: Any) -> Projection:
    """The map of this name ("pca", "umap" or "tsne") of values (n, p)."""
    if name not in MAPS:
        raise UnknownNameError("map", name, MAPS)
    if dimensions not in (2, 3):
        raise ValueRangeError(f"dimensions = {dimensions}", "2 or 3")
    return MAPS[name](values, dimensions, **settings)


def _too_few(values: np.ndarray, dimensions: int) -> Projection:
    found = pca_map(values, dimensions)
    return Projection(
        "pca", found.coordinates, found.settings, f"PCA: {len(values)} rows are too few for a map of neighbourhoods"
    )


def _umap() -> Any:
    with warnings.catch_warnings():
        # It misses tensorflow, which only its parametric variant needs.
        warnings.simplefilter("ignore")
        try:
            return importlib.import_module("umap")
        except ImportError as missing:
            raise MissingExtraError("umap-learn", remedy="pip install umap-learn") from missing
