from dataclasses import replace

import h5py
import numpy as np
import pytest

from neurotome.core import FormatError, Image, Labels, MissingFileError, UnknownNameError, ValueRangeError
from neurotome.datasets import synapse_phantoms
from neurotome.io import save
from neurotome.synapses.study.connectome import (
    ConnectomeSource,
    connectome_sites,
    connectome_volume,
    inside_boxes,
    inverted16,
    sample_rows,
)
from neurotome.synapses.study.site_checks import check_sites

ORIGIN = (1000, 2000, 3000)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """P1 as a connectome: neuron 11 is two segments of agglomerate 70, 22 is 71, 33 is 72."""
    p1 = synapse_phantoms.p1().volume
    folder = tmp_path_factory.mktemp("connectome")
    segments = p1.neurons.read().copy()
    segments[60:][segments[60:] == 11] = 12
    grey = (65535 - 256 * p1.image.read().astype(np.uint32)).astype(np.uint16)
    cleft = np.where(np.isin(p1.organelles.read(), (3, 4)), 200, 100).astype(np.uint8)
    save(Image(grey, p1.image.grid), folder / "raw.ome.tif")
    save(Labels(segments, p1.neurons.grid), folder / "segments.ome.tif")
    save(Image(cleft, p1.image.grid), folder / "prediction.ome.tif")
    with h5py.File(folder / "agglomerates.h5", "w") as file:
        table = np.zeros(34, np.uint64)
        # Background stays background, whatever the table says of segment 0.
        table[[0, 11, 12, 22, 33]] = (5, 70, 70, 71, 72)
        file["segment_to_agglomerate"] = table
    centre = np.array([83, 65, 60]) + np.array(ORIGIN[::-1])
    with h5py.File(folder / "connectome.h5", "w") as file:
        # The synapse of P1, one of an unknown neuron there, one beyond the volume, one in the middle of 33.
        file["synapse_positions"] = centre + np.array([[0, 0, 0], [0, 0, 0], [500, 0, 0], [0, 60, 0]])
        file["synapse_to_src_agglomerate"] = np.array([70, 99, 70, 72], np.uint64)
    return ConnectomeSource(
        folder / "connectome.h5",
        folder / "raw.ome.tif",
        folder / "segments.ome.tif",
        folder / "prediction.ome.tif",
        folder / "agglomerates.h5",
        origin_vox=ORIGIN,
        inverted_image=True,
    )


def test_the_volume_has_agglomerates_clefts_and_upright_grey_values(source):
    p1 = synapse_phantoms.p1().volume
    volume = connectome_volume(source)
    assert (volume.image.read() == p1.image.read()).all() and volume.image.read().dtype == np.uint8
    table = np.zeros(34, np.uint64)
    table[[11, 22, 33]] = (70, 71, 72)
    assert (volume.neurons.read() == table[p1.neurons.read()]).all()
    assert (volume.organelles.read() == np.isin(p1.organelles.read(), (3, 4))).all()
    assert volume.structures == {"cleft": (1,)} and volume.origin_vox == ORIGIN


def test_each_synapse_is_a_site_or_discarded(source):
    volume = connectome_volume(source)
    sites, discarded = connectome_sites(source, volume, policy="sequential", dataset="d")
    assert sites.index.tolist() == ["d/connectome/0", "d/connectome/3"]
    assert dict(zip(discarded["key"], discarded["reason"], strict=True)) == {
        "d/connectome/1": "pre_not_near",
        "d/connectome/2": "outside_volume",
    }
    row = sites.iloc[0]
    assert row[["center_z", "center_y", "center_x"]].tolist() == [60, 65, 83]
    assert row[["side1_x", "side2_x", "pre_side", "side1_id"]].tolist() == [81, 84, 1, "70"]
    assert len(check_sites(sites, {"connectome": volume})[0]) == 2


def test_the_file_may_name_the_postsynaptic_neuron(source, tmp_path):
    copy = tmp_path / "connectome.h5"
    copy.write_bytes(source.connectome.read_bytes())
    with h5py.File(copy, "a") as file:
        file["synapse_to_dst_agglomerate"] = np.array([72, 71, 71, 71], np.uint64)
    sites, _ = connectome_sites(replace(source, connectome=copy), connectome_volume(source), policy="sequential", reach_nm=500)
    # Neuron 33 begins at y 112.
    assert sites.iloc[0][["side2_z", "side2_y", "side2_x"]].tolist() == [60, 112, 83]


def test_a_damaged_volume_discards_its_synapses_only(source):
    volume = connectome_volume(source)

    def damaged(values):
        raise FormatError("a chunk is damaged")

    broken = replace(volume, image=Image(volume.image.data.map(damaged), volume.image.grid))
    sites, discarded = connectome_sites(source, broken, policy="sequential")
    assert len(sites) == 0
    assert discarded["reason"].tolist() == ["read_failed", "pre_not_near", "outside_volume", "read_failed"]


def test_boxes_choose_synapses(source):
    x, y, z = (3083, 2065, 1060)
    boxes = [[x, y, z, 1, 1, 1]]
    sites, discarded = connectome_sites(replace(source, boxes=boxes), connectome_volume(source), policy="sequential")
    assert sites["synapse_id"].tolist() == ["0"] and discarded["key"].tolist() == ["study/connectome/1"]
    assert inside_boxes(np.array([[0, 0, 0], [5, 5, 5]]), []).tolist() == [0, 0]
    with pytest.raises(ValueRangeError, match="x, y, z, width"):
        inside_boxes(np.zeros((1, 3)), [[1, 2, 3]])


def test_random_samples_are_drawn_once_each_and_the_same_every_time():
    strata = np.arange(1000)
    drawn = sample_rows(strata, 100)
    assert len(set(drawn.tolist())) == 100 and (drawn == sample_rows(strata, 100, seed=37)).all()
    assert (drawn != sample_rows(strata, 100, seed=38)).any()
    assert sorted(sample_rows(strata, None).tolist()) == list(range(1000)) == sorted(sample_rows(strata, 5000).tolist())
    assert sample_rows(strata, 3, "sequential").tolist() == [0, 1, 2]


def test_stratified_samples_take_equally_many_of_each(rng):
    strata = rng.permutation(np.repeat(np.array([3, 5, 8, 9], np.uint64), (50, 40, 4, 30)))
    taken = strata[sample_rows(strata, 34, "stratified")]
    assert np.unique(taken, return_counts=True)[1].tolist() == [10, 10, 4, 10]
    assert len(sample_rows(strata[:0], 5, "stratified")) == 0


def test_inverted_grey_values():
    assert inverted16(np.array([0, 255, 256, 25600, 65535], np.uint16)).tolist() == [255, 255, 254, 155, 0]


def test_bad_sources(source, tmp_path):
    volume = connectome_volume(source)
    with pytest.raises(UnknownNameError, match="policy of sampling 'dummy'"):
        connectome_sites(source, volume, policy="dummy")
    with pytest.raises(ValueRangeError, match="0 synapses"):
        connectome_sites(source, volume, count=0)
    with pytest.raises(FormatError, match=r"no dataset synapse_positions.*it has segment_to_agglomerate"):
        connectome_sites(replace(source, connectome=source.agglomerates), volume)
    with pytest.raises(FormatError, match="no dataset segment_to_agglomerate"):
        connectome_volume(replace(source, agglomerates=None))
    with pytest.raises(MissingFileError):
        connectome_volume(replace(source, agglomerates=tmp_path / "none.h5"))
    (tmp_path / "text.h5").write_text("no HDF5")
    with pytest.raises(FormatError, match="cannot be read as HDF5"):
        connectome_sites(replace(source, connectome=tmp_path / "text.h5"), volume)
