import logging

import numpy as np
import pandas as pd
import pytest

from neurotome.core import UnknownNameError, ValueRangeError
from neurotome.datasets import synapse_phantoms
from neurotome.synapses.study.site_checks import check_sites
from neurotome.synapses.study.site_table import COORDINATES


@pytest.fixture(scope="module")
def p1():
    return synapse_phantoms.p1()


@pytest.fixture(scope="module")
def volumes(p1):
    return {"bbox7": p1.volume}


def copies(p1, n):
    """The site of P1 n times, each one voxel further along y."""
    table = pd.concat([p1.sites] * n)
    table["synapse_id"] = [str(i) for i in range(n)]
    table[["center_y", "side1_y", "side2_y"]] += np.arange(n)[:, None]
    return table.set_index(table["dataset"] + "/" + table["volume"] + "/" + table["synapse_id"])


def swapped(sites):
    table = sites.copy()
    for what in ("center", "side1", "side2"):
        table[[f"{what}_z", f"{what}_x"]] = sites[[f"{what}_x", f"{what}_z"]].to_numpy()
    return table


def test_a_good_site_is_kept_as_it_is(p1, volumes):
    kept, discarded = check_sites(p1.sites, volumes)
    assert kept.equals(p1.sites) and len(discarded) == 0
    assert discarded.columns.tolist() == ["key", "step", "reason", "value", "threshold"]


def test_a_single_site_outside_is_discarded_with_how_far(p1, volumes):
    sites = copies(p1, 6)
    sites.iloc[2, sites.columns.get_loc("side2_x")] = 163
    kept, discarded = check_sites(sites, volumes)
    assert discarded.to_numpy().tolist() == [["phantom/bbox7/2", "sites", "outside_volume", 4.0, 0.0]]
    assert len(kept) + len(discarded) == len(sites)
    # Only the centre counts where no mask looks at neurons.
    assert len(check_sites(sites, volumes, needs_sides=False)[0]) == 6


def test_most_sites_outside_is_an_error_that_lists_them(p1, volumes):
    sites = copies(p1, 6)
    sites[["center_z", "center_x"]] += [500, 500]
    with pytest.raises(
        ValueRangeError, match=r"6 of 6 sites lie outside their volume: phantom/bbox7/0 at z, y, x = 560, 65, 583"
    ):
        check_sites(sites, volumes)


def test_outside_but_inside_with_axes_swapped_says_so(p1, volumes):
    sites = copies(p1, 6)
    sites[["center_x", "side1_x", "side2_x"]] += [50, 50, 25]
    with pytest.raises(ValueRangeError, match=r"6 of 6 sites lie outside.*all would fit if read as x, y, z.*swap axes 1 and 3"):
        check_sites(swapped(sites), volumes)


def test_one_site_read_in_the_wrong_order_is_told_by_its_neurons(p1, volumes):
    wrong = swapped(p1.sites)
    assert p1.volume.neurons.data[tuple(wrong[["side2_z", "side2_y", "side2_x"]].iloc[0])] == 0
    with pytest.raises(ValueRangeError, match=r"another axis order.*0 of 1 sites join two neurons as it is read, 1 with axes"):
        check_sites(wrong, volumes)


def test_ids_that_agree_in_no_order_are_a_warning(p1, volumes, caplog):
    sites = copies(p1, 3).assign(side1_id=["11", "11", "99"], side2_id=["22", "0", "22"])
    with caplog.at_level(logging.WARNING):
        kept, _ = check_sites(sites, volumes)
    assert len(kept) == 3 and "1 of 3 sites have other neurons at their sides than side1_id and side2_id say" in caplog.text


def test_named_neurons_that_agree_only_with_axes_swapped(rng):
    from dataclasses import replace

    from neurotome.core import Grid, Image, Labels

    # A chequerboard of neurons: every reading joins two, only the ids tell which is right.
    z, y, x = np.indices((40, 40, 40)) // 10
    ids = (1 + x + 10 * y + 100 * z).astype(np.uint64)
    grid = Grid(ids.shape, (8.0,) * 3)
    base = synapse_phantoms.p1().volume
    volume = replace(
        base, image=Image(ids.astype(np.uint16), grid), neurons=Labels(ids, grid), organelles=Labels(ids, grid), name="bbox7"
    )
    sites = copies(synapse_phantoms.p1(), 5)
    points = rng.integers(0, 40, (5, 3, 3))
    points[:, 2] = (points[:, 1] + [10, 10, 10]) % 40
    points[:, :, 2] = (points[:, :, 0] + 10) % 40
    sites[list(COORDINATES)] = points.reshape(5, 9)
    named = ids[tuple(np.moveaxis(points[:, 1:], -1, 0))]
    right = sites.assign(pre=[f"bbox7_{i}" for i in named[:, 1]], post=[f"bbox7_{i}" for i in named[:, 0]])
    assert len(check_sites(right, {"bbox7": volume})[0]) == 5
    with pytest.raises(
        ValueRangeError, match="0 of 5 sites have the neurons of pre and post at their sides as it is read, 5 with"
    ):
        check_sites(swapped(right), {"bbox7": volume})


def test_a_side_on_background_is_discarded_or_snapped_to_the_nearest_neuron(p1, volumes, caplog):
    sites = copies(p1, 3)
    # The gap between the neurons has x 82 and 83; 22 begins at 84.
    sites.loc[sites.index[1], "side2_x"] = 83
    with caplog.at_level(logging.WARNING):
        _, discarded = check_sites(sites, volumes)
    assert discarded[["key", "reason", "value"]].to_numpy().tolist() == [["phantom/bbox7/1", "side_on_background", 1.0]]
    assert "phantom/bbox7/1 side 2 (neuron 22 is 1.0 voxels away)" in caplog.text and "snap_sides: true" in caplog.text
    snapped, none = check_sites(sites, volumes, snap_sides=True)
    assert len(none) == 0 and snapped.loc["phantom/bbox7/1", "side2_x"] == 84
    assert snapped.drop(columns="side2_x").equals(sites.drop(columns="side2_x"))
    assert check_sites(sites, volumes, needs_sides=False)[0].equals(sites)


def test_a_side_far_from_any_neuron_is_discarded_even_when_snapping(p1, volumes):
    sites = copies(p1, 3)
    sites.loc[sites.index[0], ["side1_z", "side1_x"]] = [10, 10]
    _, discarded = check_sites(sites, volumes, snap_sides=True)
    assert discarded["key"].tolist() == ["phantom/bbox7/0"] and np.isnan(discarded["value"][0]) and discarded["threshold"][0] == 5


def test_both_sides_in_one_neuron_are_kept_with_a_warning(p1, volumes, caplog):
    sites = copies(p1, 3)
    sites.loc[sites.index[2], "side2_x"] = 50
    with caplog.at_level(logging.WARNING):
        kept, discarded = check_sites(sites, volumes)
    assert kept.equals(sites) and len(discarded) == 0
    assert "both sides in one neuron" in caplog.text and "phantom/bbox7/2" in caplog.text


def test_a_volume_that_is_not_there(p1):
    with pytest.raises(UnknownNameError, match=r"volume of the sites 'bbox7'.*bbox77.*did you mean 'bbox77'"):
        check_sites(p1.sites, {"bbox77": p1.volume})


def test_no_sites_are_no_error(p1, volumes):
    kept, discarded = check_sites(p1.sites.head(0), volumes)
    assert len(kept) == len(discarded) == 0
