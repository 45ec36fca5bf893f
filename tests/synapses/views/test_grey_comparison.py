import numpy as np
import pytest

from neurotome.synapses.views.grey_comparison import normalisation_comparison


def test_volumes_of_unlike_brightness_are_alike_only_by_percentiles_of_each(make_crop) -> None:
    image = np.random.default_rng(1).integers(50, 100, (16, 16, 16)).astype(np.uint8)
    image[3] += 20
    dark = make_crop(image, size=16, key="d/dark/1", levels=(50.0, 120.0))
    bright = make_crop(image + 80, size=16, key="d/bright/1", levels=(130.0, 200.0))
    table = normalisation_comparison([dark, bright], ("percentile", "crop_minmax", "slice_minmax", "fixed", "synister"))
    assert table.shape == (10, 11)
    means = table.pivot(index="volume", columns="normalization", values="mean")
    assert means.loc["dark", "percentile"] == pytest.approx(means.loc["bright", "percentile"])
    assert means.loc["bright", "fixed"] - means.loc["dark", "fixed"] == pytest.approx(80 / 255)
    # On one scale from 0 to 1, so that the two fixed ones are one.
    assert means["fixed"].to_numpy() == pytest.approx(means["synister"].to_numpy(), abs=1e-6)
    spread = table[table["volume"] == "dark"].set_index("normalization")["section_sd"]
    assert spread["slice_minmax"] < 0.4 * spread["crop_minmax"]


def test_tissue_alone_is_measured(make_crop) -> None:
    image = np.full((16, 16, 16), 51, np.uint8)
    valid = np.ones((16, 16, 16), bool)
    image[:, :4], valid[:, :4], valid[0] = 255, False, False
    row = normalisation_comparison([make_crop(image, valid=valid)], ("fixed",)).iloc[0]
    assert (row["mean"], row["sd"], row["bright"]) == (pytest.approx(0.2), pytest.approx(0, abs=1e-7), 0)
