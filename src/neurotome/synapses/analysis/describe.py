"""Each cluster in one sentence, from the measures that set it apart."""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["PHRASES", "descriptions", "sentence"]

PHRASES: dict[str, tuple[str, str, str]] = {
    "cleft_volume_um3": ("cleft", "small", "large"),
    "cleft_area_um2": ("cleft", "small", "large"),
    "cleft_diameter_nm": ("cleft", "small", "large"),
    "cleft_thickness_nm": ("cleft", "narrow", "wide"),
    "cleft_elongation": ("cleft", "round", "elongated"),
    "cleft_flatness": ("cleft", "thin", "plump"),
    "cleft_curvature": ("cleft", "flat", "curved"),
    "cleft_holes": ("cleft", "unbroken", "perforated"),
    "cleft_parts": ("cleft", "single", "divided"),
    "cleft_intensity": ("cleft", "dark", "light"),
    "cleft_contact_fraction": ("contact", "hardly filled by the cleft", "filled by the cleft"),
    "contact_area_um2": ("contact", "small", "large"),
    "vesicle_volume_um3": ("vesicle cloud", "small", "large"),
    "vesicle_percent_crop": ("vesicle cloud", "small", "large"),
    "vesicle_surface_um2": ("vesicle cloud", "small", "large"),
    "vesicle_sphericity": ("vesicle cloud", "irregular", "round"),
    "vesicle_elongation": ("vesicle cloud", "compact", "elongated"),
    "vesicle_cleft_min_nm": ("vesicle cloud", "at the cleft", "away from the cleft"),
    "vesicle_cleft_mean_nm": ("vesicle cloud", "near the cleft", "far from the cleft"),
    "vesicle_cleft_p90_nm": ("vesicle cloud", "near the cleft", "far from the cleft"),
    "vesicle_axial_nm": ("vesicle cloud", "near the cleft", "far from the cleft"),
    "vesicle_lateral_nm": ("vesicle cloud", "centred on the cleft", "beside the cleft"),
    "vesicle_intensity": ("vesicle cloud", "dark", "light"),
    "vesicle_docked_fraction": ("vesicles", "rarely docked", "often docked"),
    "vesicle_docked_count": ("vesicles", "few docked", "many docked"),
    "vesicle_share_of_pre": ("bouton", "sparsely filled", "densely filled"),
    "vesicle_count": ("vesicles", "few", "many"),
    "vesicle_diameter_mean_nm": ("vesicles", "small", "large"),
    "vesicle_diameter_sd_nm": ("vesicles", "of one size", "of many sizes"),
    "vesicle_density_per_um3": ("vesicles", "loosely packed", "densely packed"),
    "dense_core_fraction": ("vesicles", "clear", "dense-cored"),
    "pre_volume_um3": ("bouton", "small", "large"),
    "pre_near_volume_um3": ("bouton", "small", "large"),
    "pre_surface_to_volume_per_um": ("bouton", "stout", "slender"),
    "pre_max_radius_nm": ("bouton", "slender", "stout"),
    "post_volume_um3": ("postsynapse", "small", "large"),
    "post_near_volume_um3": ("postsynapse", "small", "large"),
    "post_surface_to_volume_per_um": ("postsynapse", "stout", "slender"),
    "post_max_radius_nm": ("postsynapse", "slender", "stout"),
    "log_pre_post_ratio": ("postsynapse", "larger than the bouton", "smaller than the bouton"),
    "mito_pre_volume_um3": ("mitochondrion", "absent", "present"),
    "mito_pre_fraction": ("mitochondrion", "absent", "present"),
    "mito_within_300nm": ("mitochondrion", "absent", "present"),
    "mito_cleft_min_nm": ("mitochondrion", "near the cleft", "far from the cleft"),
    "post_density": ("postsynaptic density", "strong", "weak"),
    "pre_density": ("presynaptic density", "strong", "weak"),
    "density_asymmetry": ("densities", "asymmetric", "symmetric"),
}
"""Measure -> what it is of, and the word for a low and for a high value of it. Densities are the darker the lower they are."""

AT_LEAST_HALF = ("cleft_holes", "mito_within_300nm")
"""Said of a cluster only where it is true of most of its synapses, not where it is merely commoner than elsewhere."""
LARGE_EFFECT = 0.8
MOST_WORDS = 5
BEHIND_NOUN = ("mitochondrion", "densities", "vesicles")
NO_STRUCTURE = "no structure beyond one cloud: all synapses are of one kind"


def descriptions(profiles: pd.DataFrame, sizes: dict[str, int], *, alpha: float = 0.05) -> dict[str, str]:
    """A sentence per cluster from a table of profiles (`cluster.PROFILE_COLUMNS`); sizes: cluster -> synapses.

    Only what is large (|effect| >= 0.8), has q <= alpha and, where an interval is known, an interval on one side of 0. A single
    cluster has nothing to differ from. Noise ("-1") is named as such.
    """
    real = [name for name in sizes if name != "-1"]
    found = {}
    for name, size in sizes.items():
        if name == "-1":
            found[name] = f"{_counted(size)} that fit no cluster"
        elif len(real) == 1 and "-1" not in sizes:
            found[name] = f"{_counted(size)}; {NO_STRUCTURE}"
        else:
            own = profiles[profiles["cluster"].astype(str) == name]
            found[name] = f"{_counted(size)}: {sentence(own, alpha=alpha)}"
    return found


def sentence(profile: pd.DataFrame, *, alpha: float = 0.05) -> str:
    """What sets one cluster apart, its strongest measures first.

    >>> rows = [(0, "cleft_area_um2", 0.2, 0.1, 2.0, 1.5, 2.4, 0.0, 0.0), (0, "cleft_holes", 0.9, 0.1, 1.7, 1.0, 2.0, 0.0, 0.0)]
    >>> sentence(pd.DataFrame(rows, columns=["cluster", "feature", "mean", "mean_others", "effect", "low", "high", "p", "q"]))
    'large, perforated cleft'
    """
    words: dict[str, list[str]] = {}
    learned: list[str] = []
    count = 0
    for row in _telling(profile, alpha).itertuples():
        noun, low, high = PHRASES.get(row.feature, ("", "low", "high"))
        word = high if row.effect > 0 else low
        if not noun:
            learned.append(f"{word} {row.feature}")
        elif count < MOST_WORDS and not _said(words.get(noun, []), word, low, high) and _true_of_most(row):
            words.setdefault(noun, []).append(word)
            count += 1
    if not words:
        return f"differs in {', '.join(learned[:3])}" if learned else "no measure sets it apart"
    return "; ".join(_phrase(noun, given) for noun, given in words.items())


def _telling(profile: pd.DataFrame, alpha: float) -> pd.DataFrame:
    sure = ~((profile["low"] <= 0) & (profile["high"] >= 0))
    kept = profile[(profile["effect"].abs() >= LARGE_EFFECT) & (profile["q"] <= alpha) & sure & np.isfinite(profile["effect"])]
    return kept.iloc[np.argsort(-kept["effect"].abs().to_numpy(), kind="stable")]


def _said(words: list[str], word: str, low: str, high: str) -> bool:
    """Whether the word, or its opposite by another measure of the same thing, was used already."""
    return word in words or low in words or high in words


def _true_of_most(row) -> bool:  # type: ignore[no-untyped-def]
    if row.feature not in AT_LEAST_HALF:
        return True
    return (row.mean >= 0.5) == (row.effect > 0)


def _phrase(noun: str, words: list[str]) -> str:
    behind = noun in BEHIND_NOUN
    before = [word for word in words if not behind and len(word.split()) == 1]
    after = [word for word in words if word not in before]
    named = f"{', '.join(before)} {noun}" if before else noun
    return f"{named} {', '.join(after)}" if after else named


def _counted(size: int) -> str:
    return f"{size} synapse{'' if size == 1 else 's'}"
