import numpy as np
import pandas as pd
import pytest

from neurotome.core import FormatError, InputError, UnitError
from neurotome.datasets import synapse_phantoms
from neurotome.synapses.study.partner_table import sites_from_partners
from neurotome.synapses.study.site_checks import check_sites

PLACE = ["center_z", "center_y", "center_x"]


@pytest.fixture(scope="module")
def p1():
    return synapse_phantoms.p1().volume


def table(**changes):
    """The synapse of P1 with its centre in nm (voxels of 8 nm), x 83."""
    row = {"id": [7], "z_nm": [480.0], "y_nm": [520.0], "x_nm": [664.0], "pre": [11], "post": [22], **changes}
    return pd.DataFrame(row)


def test_a_centre_in_nm_and_two_ids_become_a_site(p1, tmp_path):
    sites, discarded = sites_from_partners(table(kind=["a"]), p1.neurons, dataset="d", volume="bbox7")
    assert len(discarded) == 0 and sites.index.tolist() == ["d/bbox7/7"]
    row = sites.iloc[0]
    assert row[PLACE].tolist() == [60, 65, 83]
    # Neuron 11 ends at x 81, 22 begins at 84.
    assert row[["side1_z", "side1_y", "side1_x"]].tolist() == [60, 65, 81]
    assert row[["side2_z", "side2_y", "side2_x"]].tolist() == [60, 65, 84]
    assert row[["pre_side", "side1_id", "side2_id", "kind"]].tolist() == [1, "11", "22", "a"]
    assert len(check_sites(sites, {"bbox7": p1})[0]) == 1
    path = tmp_path / "synapses.csv"
    table(kind=["a"]).to_csv(path, index=False)
    assert sites_from_partners(path, p1.neurons, dataset="d", volume="bbox7")[0].equals(sites)


@pytest.mark.parametrize(
    "columns",
    [
        {"id": "id", "z_nm": "ctr_pt_position_z", "pre": "pre_pt_root_id", "post": "post_pt_root_id"},
        {"id": "synapse_id", "z_nm": "centroid_z", "pre": "presyn_segid", "post": "postsyn_segid"},
        {"id": "connector_id", "z_nm": "Z", "pre": "bodyId_pre", "post": "bodyId_post"},
    ],
)
def test_public_names_of_columns_with_centres_in_voxels(p1, columns):
    names = {**columns, "y_nm": columns["z_nm"].replace("z", "y").replace("Z", "Y")}
    names["x_nm"] = columns["z_nm"].replace("z", "x").replace("Z", "X")
    there = table(z_nm=[1060], y_nm=[65], x_nm=[283]).rename(columns=names)
    sites, _ = sites_from_partners(there, p1.neurons, origin_vox=(1000, 0, 200))
    assert sites[PLACE].to_numpy().tolist() == [[60, 65, 83]]


def test_voxels_of_another_size_and_micrometres(p1):
    fine = table(z_nm=[240], y_nm=[131], x_nm=[166]).rename(columns={f"{a}_nm": a for a in "zyx"})
    sites, _ = sites_from_partners(fine, p1.neurons, table_voxel_nm=(2.0, 4.0, 4.0))
    assert sites[PLACE].to_numpy().tolist() == [[60, 65, 83]]
    um = table(z_nm=[0.48], y_nm=[0.52], x_nm=[0.664]).rename(columns={f"{a}_nm": f"{a}_um" for a in "zyx"})
    assert sites_from_partners(um, p1.neurons)[0][PLACE].to_numpy().tolist() == [[60, 65, 83]]
    with pytest.raises(UnitError, match="different units"):
        sites_from_partners(um.rename(columns={"z_um": "z_nm"}), p1.neurons)


def test_every_synapse_is_a_site_or_discarded_with_a_reason(p1):
    rows = table(
        id=[1, 2, 3, 4, 5, 6],
        z_nm=[480.0, 480, 4800, 480, 480, 480],
        y_nm=[520.0] * 6,
        x_nm=[664.0] * 6,
        pre=[11, 0, 11, 11, 99, 22],
        post=[22, 22, 22, np.nan, 22, 33],
    )
    sites, discarded = sites_from_partners(rows, p1.neurons, volume="v", dataset="d", reach_nm=100)
    assert sites["synapse_id"].tolist() == ["1"]
    assert dict(zip(discarded["key"], discarded["reason"], strict=True)) == {
        "d/v/2": "pre_unknown",
        "d/v/3": "outside_volume",
        "d/v/4": "post_unknown",
        "d/v/5": "pre_not_near",
        "d/v/6": "post_not_near",
    }
    assert discarded.set_index("key").loc["d/v/3", "value"] == 600 - 119
    # Neuron 33 begins 47 voxels along y from the centre.
    assert sites_from_partners(rows, p1.neurons, volume="v", dataset="d", reach_nm=377)[0]["synapse_id"].tolist() == ["1", "6"]


def test_the_synapses_of_a_phantom_are_a_table_too(small_phantom):
    sites, discarded = sites_from_partners(small_phantom.synapses, small_phantom.neurons)
    assert len(sites) + len(discarded) == len(small_phantom.synapses) and len(sites) > 0
    ids = small_phantom.neurons.read()
    for side, partner in (("side1", "pre"), ("side2", "post")):
        at = tuple(sites[[f"{side}_{a}" for a in "zyx"]].to_numpy().T)
        truth = getattr(small_phantom.synapses, partner)[np.isin(small_phantom.synapses.ids, sites["synapse_id"].astype(int))]
        assert ids[at].tolist() == truth.tolist()


def test_bad_tables(p1):
    with pytest.raises(FormatError, match=r"no column for post, z; it has.*post: post or post_id"):
        sites_from_partners(table().drop(columns=["post", "z_nm"]), p1.neurons)
    with pytest.raises(FormatError, match="hold no numbers in row 0"):
        sites_from_partners(table(y_nm=["far"]), p1.neurons)
    with pytest.raises(FormatError, match="column pre"):
        sites_from_partners(table(pre=["eleven"]), p1.neurons)
    with pytest.raises(InputError, match="more than once"):
        sites_from_partners(pd.concat([table(), table()], ignore_index=True), p1.neurons)
