"""Which images of many to label and train on: those that are rich, noisy and hard.

Every image gets a density d (how much neurite it has), a noise n, and a hardness h (how much of its neurite is faint). DHPR is
the published rule (Huang et al. 2021, DB-Enhance), which needs labels; the one without labels finds neurites by their shape.
"""

from __future__ import annotations

from dataclasses import dataclass

import cc3d
import numpy as np
import pandas as pd

from neurotome.core import InputError, ShapeError, ValueRangeError
from neurotome.tracing.ridges import ridge_response

__all__ = [
    "DhprScores",
    "DhprSettings",
    "LabelFreeScores",
    "choose_dhpr",
    "choose_label_free",
    "dhpr_scores",
    "label_free_scores",
]

FULL_SHARE = 0.00185
"""Of the voxels, where a density without labels is 1."""
LEAST_COMPONENT = 50


@dataclass(frozen=True, kw_only=True)
class DhprSettings:
    """The constants of the published rule, which are those of one microscope with 16 bits.

    roi_voxels: least side of the region around the labels that counts. full_voxels: of neurite in a density of 1. sample:
    background voxels looked at. bright: grey values above the mean background that are no background. most_noise: hardness is
    judged with at most this noise. faint: neurite within twice this many noise levels of the background is hard.
    """

    roi_voxels: int = 200
    full_voxels: int = 50_000
    sample: int = 80_000
    bright: float = 60.0
    most_noise: float = 6.5
    faint: float = 2.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value <= 0:
                raise ValueRangeError(f"{name} {value:g}", "a number above 0", "leave it at its default")


@dataclass(frozen=True)
class DhprScores:
    """Density 0..1, noise in grey values, hardness 0..1."""

    d: float
    n: float
    h: float


@dataclass(frozen=True)
class LabelFreeScores:
    """Density 0..1, noise as a share of the contrast, hardness 0..1, uncertainty 0..1, and two percentiles of the grey values."""

    d: float
    n: float
    h: float
    u: float
    p50: float
    p99: float


def dhpr_scores(image: np.ndarray, labels: np.ndarray, settings: DhprSettings | None = None, *, seed: int = 0) -> DhprScores:
    """Density, noise and hardness of a labelled image by the published rule.

    All is measured in a region around the labels: their bounding box without its last plane, or `roi_voxels` about the middle
    along an axis on which it is smaller. d = min(1, neurite voxels / full_voxels). Background = `sample` random voxels without
    label, less those above their mean + bright, with mean m and standard deviation n. With s = min(n, most_noise), h is the share
    of neurite voxels f with (f - m) / (s + 1e-5) / 2 < faint.

    Parameters
    ----------
    image, labels
        (z, y, x); label > 0 is neurite.

    Raises ShapeError for different shapes, ValueRangeError for labels that are empty, or leave no background.

    >>> image = np.tile(np.array([100.0, 110.0]), (4, 4, 2))
    >>> labels = np.zeros((4, 4, 4))
    >>> labels[0, 0, :2], image[0, 0, :2] = 1, (124, 126)
    >>> dhpr_scores(image, labels)
    DhprScores(d=4e-05, n=5.0, h=0.5)
    """
    settings = settings or DhprSettings()
    if image.shape != labels.shape:
        raise ShapeError(f"Image of shape {image.shape} and labels of {labels.shape}", "the same shape", "crop one of them")
    mask = labels > 0
    if not mask.any():
        raise ValueRangeError("The labels are empty", "labels above 0 where there is neurite", "label it, or leave it out")
    region = tuple(_region(np.flatnonzero(mask.any(other)), size, settings.roi_voxels) for other, size in _axes(image.shape))
    values, mask = image[region].astype(np.float64), mask[region]
    background, foreground = values[~mask], values[mask]
    if not len(background) or not len(foreground):
        lost = "background" if not len(background) else "neurite"
        raise ValueRangeError(f"There is no {lost} in the region around the labels", "both", "leave this image out")
    sample = np.random.default_rng(seed).permutation(background)[: settings.sample]
    sample = sample[sample <= sample.mean() + settings.bright]
    mean, noise = float(sample.mean()), float(sample.std())
    strength = (foreground - mean) / (min(noise, settings.most_noise) + 1e-5) / 2
    density = min(1.0, len(foreground) / settings.full_voxels)
    return DhprScores(density, noise, float(np.mean(strength < settings.faint)))


def choose_dhpr(table: pd.DataFrame, count: int = 300) -> pd.DataFrame:
    """Of images with more noise than the median, the `count` with the largest r = d + h; ties go by name.

    table: name, d, n, h and maybe a note; scores that are nan were not measured. Returns it with r, kept and selected, by name.
    """
    scored = _scored(table, table["d"] + table["h"], count)
    scored["kept"] = scored["n"] > scored["n"].median()
    best = scored[scored["kept"]].sort_values(["r", "name"], ascending=[False, True]).head(count)
    scored["selected"] = scored["name"].isin(best["name"])
    return scored


def label_free_scores(image: np.ndarray, probability: np.ndarray | None = None) -> LabelFreeScores:
    """Density, noise, hardness and uncertainty of an image without labels.

    Background: mean m and standard deviation s of what is left after dropping, three times, all beyond 3 s. Neurite: the 5 % with
    the strongest ridge response (see `ridge_response`), of those above m + 2 s, in components of at least 50 voxels.
    d = min(1, share of neurite / 0.00185), which is 1 for 50,000 voxels of 300^3; n = s / (99.9th percentile - m); h = share of
    neurite with (value - m) / 2 s < 2; u = mean of 4 p (1 - p) over the neurite and all voxels with 0.2 < p < 0.8.

    Parameters
    ----------
    image
        (z, y, x) grey values.
    probability
        (z, y, x) in 0..1, or uint8 with 255 = 1, of a network that is there already; without it u is 0.

    Raises ShapeError for different shapes, ValueRangeError where nothing is brighter than the background.
    """
    mean, noise = _background(image)
    p50, p99, top = (float(v) for v in np.percentile(image, [50, 99, 99.9]))
    if top <= mean:
        raise ValueRangeError("Nothing is brighter than the background", "neurites brighter than it", "leave this image out")
    neurite = _ridges(image, mean + 2 * noise)
    faint = image[neurite] - mean < 2 * (2 * noise)
    return LabelFreeScores(
        d=min(1.0, float(neurite.mean()) / FULL_SHARE),
        n=noise / (top - mean),
        h=float(faint.mean()) if len(faint) else 0.0,
        u=_uncertainty(probability, neurite),
        p50=p50,
        p99=p99,
    )


def choose_label_free(table: pd.DataFrame, count: int = 300) -> pd.DataFrame:
    """Noisy images that score high and are unlike each other.

    Of images with more noise than the median (of all, where those are fewer than `count`) first the one with the largest
    r = d + h + u, then again and again the one with the largest r (1 + half its distance to the nearest chosen one), in the space
    of d, n, h, u, log p50 and log p99, each less its mean, over its standard deviation. Ties go by name.

    table: name, d, n, h, u, p50, p99 and maybe a note. Returns it with r, kept and selected, by name.
    """
    scored = _scored(table, table["d"] + table["h"] + table["u"], count)
    noisy = scored["n"] > scored["n"].median()
    scored["kept"] = noisy if noisy.sum() >= count else scored["r"].notna()
    rows = np.flatnonzero(scored["kept"])
    chosen = _spread_out(scored["r"].to_numpy()[rows], _z_scores(scored.iloc[rows]), count)
    scored["selected"] = np.isin(np.arange(len(scored)), rows[chosen])
    return scored


def _scored(table: pd.DataFrame, score: pd.Series, count: int) -> pd.DataFrame:
    """The table with r and a note, by name. Raises InputError for a name that occurs twice."""
    if count < 1:
        raise ValueRangeError(f"Choose {count} images", "at least 1", "give --count")
    if table["name"].duplicated().any():
        raise InputError(f"Two images are called '{table['name'][table['name'].duplicated()].iloc[0]}'", "each name once")
    note = table.get("note", "")
    return table.assign(r=score, note=note).sort_values("name").reset_index(drop=True)


def _axes(shape: tuple[int, ...]) -> list[tuple[tuple[int, ...], int]]:
    """Per axis the others, and its size."""
    return [(tuple(other for other in range(3) if other != axis), size) for axis, size in enumerate(shape)]


def _region(places: np.ndarray, size: int, least: int) -> slice:
    """From the first to before the last place with a label; `least` about their middle where that is less."""
    first, last = float(places[0]), float(places[-1])
    if last - first + 1 < least:
        middle = (first + last) / 2
        first, last = max(0.0, middle - least / 2), min(float(size), middle + least / 2)
    return slice(int(first), int(last))


def _background(image: np.ndarray) -> tuple[float, float]:
    values = image.reshape(-1)
    mean, noise = values.mean(dtype=np.float64), values.std(dtype=np.float64)
    for _ in range(3):
        values = values[np.abs(values - mean) <= 3 * noise]
        mean, noise = values.mean(dtype=np.float64), values.std(dtype=np.float64)
    return float(mean), float(noise)


def _ridges(image: np.ndarray, least: float) -> np.ndarray:
    """(z, y, x) bool: the neurite of `label_free_scores`."""
    response = ridge_response(image)
    bright = (response > np.percentile(response, 95)) & (image > least)
    return np.asarray(cc3d.dust(bright, threshold=LEAST_COMPONENT, connectivity=26))


def _uncertainty(probability: np.ndarray | None, neurite: np.ndarray) -> float:
    if probability is None:
        return 0.0
    if probability.shape != neurite.shape:
        raise ShapeError(f"Image of shape {neurite.shape}, probability of {probability.shape}", "the same shape")
    p = probability / 255.0 if probability.dtype == np.uint8 else probability.astype(np.float64)
    counted = p[neurite | ((p > 0.2) & (p < 0.8))]
    return float(np.mean(4 * counted * (1 - counted))) if len(counted) else 0.0


def _z_scores(table: pd.DataFrame) -> np.ndarray:
    space = table[["d", "n", "h", "u"]].to_numpy(np.float64)
    logs = np.log1p(np.maximum(table[["p50", "p99"]].to_numpy(np.float64), 0))
    space = np.concatenate([space, logs], axis=1)
    spread = space.std(0)
    return (space - space.mean(0)) / np.where(spread > 0, spread, 1.0)


def _spread_out(score: np.ndarray, space: np.ndarray, count: int) -> list[int]:
    """Which rows are chosen, in the order of choice."""
    chosen: list[int] = []
    nearest = np.full(len(score), np.inf)
    while len(chosen) < min(count, len(score)):
        worth = score * (1 + nearest / 2) if chosen else score.copy()
        worth[chosen] = -np.inf
        chosen.append(int(worth.argmax()))
        nearest = np.minimum(nearest, np.sqrt(((space - space[chosen[-1]]) ** 2).sum(1)))
    return chosen
