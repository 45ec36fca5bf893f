"""Regression on SNEMI3D: maps made from the truth, as they are and with noise, against the values of the specification."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest
import tifffile
from scipy.ndimage import gaussian_filter, maximum_filter, minimum_filter

from neurotome.core import Grid, Labels, Probability
from neurotome.datasets import data_root
from neurotome.measure import (
    adapted_rand,
    adjusted_rand_index,
    contingency,
    equal_label_components,
    split_merge_errors,
    variation_of_information,
)
from neurotome.neurons import AgglomerateSettings, LinkSettings, segment, threshold_table

pytestmark = pytest.mark.realdata

THRESHOLDS = {0.15: 0.026, 0.2: 0.022, 0.25: 0.020, 0.3: 0.025, 0.4: 0.027, 0.5: 0.033}


@pytest.fixture(scope="module")
def truth():
    path = data_root() / "snemi3d" / "train-labels.ome.tif"
    if not path.is_file():
        pytest.skip(f"no SNEMI3D labels at {path}; set NEUROTOME_DATA")
    return tifffile.imread(path)


def targets(ids):
    """Cytoplasm and overlap, by the rules of the boundary room."""
    edges = minimum_filter(ids, (1, 3, 3)) != maximum_filter(ids, (1, 3, 3))
    cytoplasm = ~edges & (ids > 0)
    overlap = np.zeros_like(cytoplasm)
    overlap[:-1] = cytoplasm[:-1] & cytoplasm[1:] & (ids[:-1] == ids[1:])
    return cytoplasm, overlap


def noisy(binary, seed):
    noise = np.random.default_rng(seed).standard_normal(binary.shape)
    return np.clip(gaussian_filter(binary.astype(float), (0, 1, 1)) + gaussian_filter(noise, (0, 2, 2)), 0, 1)


def probability(cytoplasm, overlap):
    data = np.stack([cytoplasm, overlap]).astype(np.float32)
    return Probability(data, Grid(data.shape[1:], (30, 6, 6)), ("cytoplasm", "overlap"))


@pytest.fixture(scope="module")
def perturbed(truth):
    cytoplasm, overlap = targets(truth[:32])
    overlap = np.concatenate([noisy(overlap[:-1], 2), np.zeros((1, *overlap.shape[1:]))])
    return probability(noisy(cytoplasm, 1), overlap), truth[:32]


@pytest.mark.slow
def test_agglomerate_on_perturbed_maps(perturbed):
    maps, ids = perturbed
    result = segment(maps, settings=AgglomerateSettings(t_high=250))
    table = threshold_table(result, Labels(ids, maps.grid), tuple(THRESHOLDS), truth_parts="as given")
    assert table["adapted_rand_error"].tolist() == pytest.approx(list(THRESHOLDS.values()), abs=0.005)
    assert len(result.graph.edges) == 217_537


@pytest.mark.slow
@pytest.mark.parametrize(("threshold", "expected"), [(127, 0.948), (178, 0.555), (204, 0.164)])
def test_link_on_perturbed_maps(perturbed, threshold, expected):
    maps, ids = perturbed
    result = segment(maps, "link", settings=LinkSettings(threshold=threshold, grow=0))
    assert adapted_rand(contingency(ids, result.labels.data)).error == pytest.approx(expected, abs=0.005)


def oracle_rows():
    """The table of the specification: what perfect maps give. An empty cell is not specified."""
    with Path(__file__).with_name("oracle.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            values = {k: v if k in ("part", "segmentation") else float(v or "nan") for k, v in row.items()}
            # Skeletons of the whole volume take minutes; those of a quadrant are looked at every time.
            marks = pytest.mark.exhaustive if values["skeletonise"] and values["part"] == "all" else ()
            yield pytest.param(values, id="-".join(row[k] for k in ("part", "segmentation", "erosions", "grow")), marks=marks)


@pytest.fixture(scope="module")
def parts(truth):
    """Labels and perfect maps of the whole volume and of quadrant c, which is cut out before its maps are made."""
    whole = truth[:, :512, :512], truth
    return {name: (ids, probability(*targets(ids))) for name, ids in zip(("c", "all"), map(np.ascontiguousarray, whole))}


@pytest.mark.slow
@pytest.mark.parametrize("row", list(oracle_rows()))
def test_oracle(parts, row):
    """Segmentations of perfect maps, against the table of the specification."""
    ids, maps = parts[row["part"]]
    components = equal_label_components(ids)
    labels = components
    if row["segmentation"] == "link":
        settings = LinkSettings(grow=row["grow"], erosions=int(row["erosions"]), skeletonise=bool(row["skeletonise"]))
        labels = segment(maps, "link", settings=settings).labels.data
    table = contingency(ids, labels)
    voi, errors = variation_of_information(table), split_merge_errors(table)
    found = {
        "are": adapted_rand(table).error,
        "are_components": adapted_rand(contingency(components, labels)).error,
        "splits": errors.splits,
        "merges": errors.merges,
        "voi_split": voi.split,
        "voi_merge": voi.merge,
        "ari_all_voxels": adjusted_rand_index(table),
    }
    close = 1e-3 if row["skeletonise"] else 1e-4
    for name, value in found.items():
        counted = name in ("splits", "merges")
        if math.isnan(row[name]) or (counted and (row["skeletonise"] or row["grow"])):
            continue
        assert value == pytest.approx(row[name], abs=0 if counted else close), name


@pytest.mark.slow
def test_the_floor_comes_from_neurons_that_the_crop_cuts_apart(truth):
    assert len(np.unique(truth[truth > 0])) == 333
    assert equal_label_components(truth).max() == 361


def test_link_with_the_reference_cleaning_on_a_corner(truth):
    """Ten erosions and a skeleton cost links: on perfect maps the reference splits what plain linking keeps whole."""
    ids = np.ascontiguousarray(truth[:10, 512:, :512])
    maps = probability(*targets(ids))
    plain, cleaned = (
        contingency(ids, segment(maps, "link", settings=LinkSettings(grow=0, erosions=n, skeletonise=n > 0)).labels.data)
        for n in (0, 10)
    )
    assert split_merge_errors(cleaned).splits > 10 * split_merge_errors(plain).splits
    assert split_merge_errors(cleaned).merges == 0
