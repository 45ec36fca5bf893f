import importlib.util
import inspect
import json
import shutil
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from neurotome.core import (
    FormatError,
    Grid,
    InputError,
    Labels,
    MissingExtraError,
    RunFailedError,
    Skeleton,
    UnitError,
    UnknownNameError,
)
from neurotome.datasets import microns
from neurotome.datasets.microns.cave import CACHED, QUEUED, SYNCHRONOUS, neuron_table, skeleton_from_service
from neurotome.datasets.microns.fetch import Patience
from neurotome.io import MeshFragments, MeshManifests, announce_meshes, announce_skeletons, read_swc, save, write_skeletons
from neurotome.io.mesh_files import read_mesh

GRID = Grid((20, 60, 60), (40.0, 4.0, 4.0))
BIG = 864691135581551213
needs_cave = pytest.mark.skipif(
    importlib.util.find_spec("caveclient") is None, reason="caveclient is not installed (extra microns)"
)


def bar(row):
    points = [[80.0, row * 4.0, x * 4.0] for x in range(5, 55, 5)]
    return Skeleton.of(range(-1, len(points) - 1), points, np.full(len(points), 8.0), [1] + [3] * (len(points) - 1))


@pytest.fixture(scope="module")
def volume(tmp_path_factory):
    """A local precomputed volume with two neurons, their skeletons and meshes."""
    ids = np.zeros(GRID.shape, np.uint64)
    ids[2, 9:12, 5:52], ids[2, 29:32, 5:52] = 3, BIG
    path = tmp_path_factory.mktemp("microns") / "seg.precomputed"
    save(Labels(ids, GRID), path)
    write_skeletons(path / "skeletons", {3: bar(10), BIG: bar(30)}, voxel_nm=GRID.voxel_nm)
    announce_skeletons(path)
    announce_meshes(path)
    work = MeshFragments(path, 0)
    for block in work.blocks():
        work(block)
    MeshManifests(path)(work.blocks()[0])
    return path


class Flaky:
    """A source that is there only now and then."""

    batch, suffix = 1, ".swc"

    def __init__(self, source: microns.PrecomputedSkeletons, failures: int, error: Exception) -> None:
        self.source, self.failures, self.error = source, failures, error
        self.asked: list[int] = []

    def extent(self):
        return self.source.extent()

    def get(self, ids: Sequence[int]) -> dict[int, Skeleton]:
        self.asked += ids
        if self.failures:
            self.failures -= 1
            raise self.error
        return self.source.get(ids)


@pytest.mark.parametrize("scheme", ["", "file://", "precomputed://file://"])
def test_skeletons_of_a_local_volume_are_stored_as_swc_and_what_is_missing_is_said(volume, tmp_path, scheme):
    source = microns.PrecomputedSkeletons(f"{scheme}{volume}")
    assert source.ids() == (3, BIG)
    found = microns.fetch(source, [BIG, "3", 4, 3], tmp_path / "swc")
    assert found.missing == (4,)
    assert sorted(found.files) == [3, BIG]
    file = read_swc(found.files[BIG])
    assert np.abs(np.sort(file.skeleton.points_nm, axis=0) - np.sort(bar(30).points_nm, axis=0)).max() < 1
    assert file.skeleton.kinds.tolist() == [1] + [3] * 9


def test_meshes_of_a_local_volume_are_stored_as_ply(volume, tmp_path):
    source = microns.PrecomputedMeshes(str(volume))
    assert source.ids() == (3, BIG)
    found = microns.fetch(source, source.ids(), tmp_path)
    mesh = read_mesh(found.files[3])
    assert np.allclose((mesh.vertices_nm.min(0) + mesh.vertices_nm.max(0)) / 2, [80, 40, 4 * 28], atol=0.1)


def test_a_second_call_asks_only_for_what_is_not_there(volume, tmp_path):
    flaky = Flaky(microns.PrecomputedSkeletons(str(volume)), 0, OSError())
    microns.fetch(flaky, [3], tmp_path)
    microns.fetch(flaky, [3, BIG], tmp_path)
    assert flaky.asked == [3, BIG]


def test_a_source_that_fails_is_asked_again_after_ever_longer_waits(volume, tmp_path):
    waits: list[float] = []
    flaky = Flaky(microns.PrecomputedSkeletons(str(volume)), 3, ConnectionError("busy"))
    microns.fetch(flaky, [3], tmp_path, patience=Patience(4, 1.0, waits.append))
    assert waits == [1.0, 2.0, 4.0]
    flaky.failures = 9
    with pytest.raises(RunFailedError, match=r"neurons 864691135581551213 after 2 attempts \(busy\)"):
        microns.fetch(flaky, [BIG], tmp_path, patience=Patience(2, 1.0, waits.append))


def test_a_request_that_is_wrong_is_not_repeated(volume, tmp_path):
    class RefusedError(OSError):
        response = type("Response", (), {"status_code": 403})()

    flaky = Flaky(microns.PrecomputedSkeletons(str(volume)), 1, RefusedError("no token"))
    with pytest.raises(RefusedError):
        microns.fetch(flaky, [3], tmp_path, patience=Patience(4, 1.0, pytest.fail))


def test_a_neuron_out_of_the_data_is_in_another_unit(volume, tmp_path):
    small = microns.Extent((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
    far = microns.Extent((9e6, 0.0, 0.0), (9.1e6, 1e3, 1e3))
    source = microns.PrecomputedSkeletons(str(volume))
    assert microns.fetch(source, [3], tmp_path / "a", extent=small).files
    with pytest.raises(UnitError, match="Neuron 3 has a point at"):
        microns.fetch(source, [3], tmp_path / "b", extent=far)
    with pytest.raises(InputError, match="'x3' is no id"):
        microns.fetch(source, ["x3"], tmp_path)


def test_the_extent_is_that_of_the_volume(volume):
    extent = microns.PrecomputedSkeletons(str(volume)).extent()
    assert np.subtract(extent.high_nm, extent.low_nm).tolist() == [800, 240, 240]
    assert microns.PrecomputedSkeletons(str(volume / "skeletons")).extent() is None
    with pytest.raises(FormatError, match="no mesh"):
        microns.PrecomputedMeshes(str(volume / "skeletons")).ids()


def test_boxes_in_the_wrong_unit_are_found_out():
    extent = microns.Extent((0.0, 0.0, 0.0), (40e3, 80e3, 80e3))
    box = microns.box_nm((100, 1000, 1000), (200, 2000, 2000), unit="voxel", extent=extent)
    assert box == microns.Extent((4e3, 4e3, 4e3), (8e3, 8e3, 8e3))
    with pytest.raises(UnitError, match="fits in unit='nm'"):
        microns.box_nm((4e3, 4e3, 4e3), (8e3, 8e3, 8e3), unit="voxel", extent=extent)
    with pytest.raises(UnitError, match="choose a box in the data"):
        microns.box_nm((4e3, 4e3, 4e3), (8e9, 8e9, 8e9), unit="nm", extent=extent)
    with pytest.raises(UnknownNameError, match="nm, voxel"):
        microns.box_nm((0, 0, 0), (1, 1, 1), unit="um", extent=extent)


def query():
    """What a query gives: positions in voxels of 4 x 4 x 40 nm."""
    columns = ["pt_root_id", "cell_type", "target_id", "pt_position_x", "pt_position_y", "pt_position_z"]
    rows = [(BIG, "23P", 11, 1000, 500, 20), (5, "BC", 12, 2000, 500, 30), (0, "BC", 13, 1, 1, 1)]
    return pd.DataFrame([*rows, (7, "MC", 14, 1, 1, 1), (7, "BC", 15, 9, 9, 9)], columns=columns)


def test_somata_become_nm_and_merged_segments_are_left_out(caplog):
    table = neuron_table(query(), "types", column="cell_type", voxel_nm=microns.VOXEL_NM)
    assert list(table.index) == ["5", str(BIG)]
    assert table.loc[str(BIG), ["soma_z", "soma_y", "soma_x"]].tolist() == [800.0, 2000.0, 4000.0]
    assert table["cell_type"].tolist() == ["BC", "23P"]
    assert table["nucleus_id"].tolist() == [12, 11]
    assert "left out 1 rows without a segment and 2" in caplog.text
    box = microns.Extent((0.0, 0.0, 0.0), (900.0, 3000.0, 5000.0))
    assert list(microns.in_box(table, box).index) == [str(BIG)]
    with pytest.raises(FormatError, match="no column pt_root_id"):
        neuron_table(query().drop(columns="pt_root_id"), "types", column="cell_type", voxel_nm=microns.VOXEL_NM)


class Services:
    """Stands where caveclient would: one table, and a skeleton service that has made all but some skeletons."""

    def __init__(self, unmade):
        self.materialize = self.skeleton = self
        self.unmade, self.calls = set(unmade), []

    def get_tables(self, version):
        return ["types"]

    def get_table_metadata(self, table, version):
        return {"voxel_resolution": [4.0, 4.0, 40.0]}

    def query_table(self, table, **ask):
        assert ask["desired_resolution"] == [4.0, 4.0, 40.0]
        rows = query()
        return rows if ask["filter_in_dict"] is None else rows[rows["cell_type"].isin(ask["filter_in_dict"]["cell_type"])]

    def fetch_skeletons(self, ids, **ask):
        return {str(label): {"vertices": [[0, 0, 0], [0, 0, 9]], "edges": [[0, 1]]} for label in ids if label not in self.unmade}

    def get_bulk_skeletons(self, ids, **ask):
        self.calls.append(("made", len(ids)))
        self.unmade -= set(ids)
        return self.fetch_skeletons(ids)

    def generate_bulk_skeletons_async(self, ids, **ask):
        self.calls.append(("queued", len(ids)))
        return 60.0


def cave(services, **settings):
    source = microns.Cave(**settings)
    source.__dict__["client"] = services
    return source


def test_neurons_of_a_table_by_type():
    source = cave(Services([]), version=1300)
    assert list(source.neurons("types", cell_types=["23P"]).index) == [str(BIG)]
    with pytest.raises(UnknownNameError, match="table of minnie65_public 'typs'"):
        source.neurons("typs")


@pytest.mark.parametrize(("unmade", "calls", "found"), [(0, [], 40), (10, [("made", 10)], 40), (11, [("queued", 11)], 29)])
def test_skeletons_are_made_at_once_or_queued_within_the_limits_of_the_service(unmade, calls, found):
    services = Services(range(1, unmade + 1))
    assert len(cave(services).get(range(1, 41))) == found
    assert services.calls == calls
    assert cave(Services([3]), generate=False).get([3, 4]).keys() == {4}


def test_a_skeleton_of_the_service_is_rooted_and_its_loop_cut():
    part = {
        "vertices": [[1, 2, 3], [4, 2, 3], [4, 6, 3]],
        "edges": [[0, 1], [1, 2], [2, 0]],
        "radius": [1.0, 2.0, np.nan],
        "compartment": [3, 1, 2],
        "root": 1,
    }
    tree = skeleton_from_service(part, "9")
    assert tree.points_nm[0].tolist() == [3, 2, 4]
    assert tree.kinds.tolist() == [1, 3, 2]
    assert tree.radii_nm.tolist() == [2, 1, 0]
    assert tree.length_nm == 7
    with pytest.raises(FormatError, match="'edges'"):
        skeleton_from_service({"vertices": []}, "9")
    with pytest.raises(FormatError, match="vertex 5 of 1"):
        skeleton_from_service({"vertices": [[0, 0, 0]], "edges": [[0, 5]]}, "9")


@pytest.mark.skipif(importlib.util.find_spec("caveclient") is not None, reason="caveclient is installed")
def test_without_the_extra_the_remedy_is_its_name():
    with pytest.raises(MissingExtraError, match=r"pip install 'neurotome\[microns\]'"):
        microns.Cave().get([3])


@pytest.mark.skipif(importlib.util.find_spec("cloudvolume") is not None, reason="cloud-volume is installed")
def test_without_cloud_volume_too():
    for source in (microns.CloudSkeletons("gs://x"), microns.CloudMeshes("gs://x")):
        with pytest.raises(MissingExtraError, match="cloud-volume"):
            source.get([3])


def test_more_skeletons_than_the_service_gives_are_not_asked_for():
    with pytest.raises(ValueError, match="501 skeletons in one request, at most 500"):
        microns.Cave().get(range(1, 502))


@needs_cave
def test_the_calls_are_those_of_the_real_client():
    from caveclient import CAVEclient, skeletonservice
    from caveclient.materializationengine import MaterializationClient as Tables
    from caveclient.skeletonservice import SkeletonClient as Skeletons

    limits = (
        skeletonservice.MAX_BULK_SYNCHRONOUS_SKELETONS,
        skeletonservice.MAX_BULK_CACHED_SKELETONS,
        skeletonservice.MAX_BULK_ASYNCHRONOUS_SKELETONS,
    )
    assert limits == (SYNCHRONOUS, CACHED, QUEUED)
    ask = {"skeleton_version": 4, "output_format": "dict"}
    inspect.signature(CAVEclient.__new__).bind(CAVEclient, "minnie65_public", server_address=None, version=1)
    inspect.signature(Skeletons.fetch_skeletons).bind(None, [1], **ask)
    inspect.signature(Skeletons.get_bulk_skeletons).bind(None, [1], **ask, generate_missing_skeletons=True)
    inspect.signature(Skeletons.generate_bulk_skeletons_async).bind(None, [1], skeleton_version=4)
    inspect.signature(Tables.get_tables).bind(None, version=1)
    inspect.signature(Tables.get_table_metadata).bind(None, "t", version=1)
    inspect.signature(Tables.query_table).bind(
        None, "t", filter_in_dict=None, materialization_version=1, split_positions=True, desired_resolution=[4, 4, 40]
    )


def test_cloud_volume_reads_what_this_project_writes(volume, tmp_path):
    pytest.importorskip("cloudvolume", reason="cloud-volume is not installed (extra microns)")
    url = f"precomputed://file://{volume}"
    found = microns.fetch(microns.CloudSkeletons(url), [3, 4, BIG], tmp_path)
    assert found.missing == (4,)
    # cloud-volume draws voxel 0 from 0 to 1, this project centres it on 0.
    half = np.array(GRID.voxel_nm) / 2
    points = read_swc(found.files[3]).skeleton.points_nm - half
    assert np.abs(np.sort(points, axis=0) - np.sort(bar(10).points_nm, axis=0)).max() < 1
    assert microns.CloudSkeletons(url).extent() == microns.PrecomputedSkeletons(url).extent()


def test_cloud_volume_gives_the_same_meshes(volume, tmp_path):
    pytest.importorskip("cloudvolume", reason="cloud-volume is not installed (extra microns)")
    flat = tmp_path / "flat"
    shutil.copytree(volume, flat)
    for manifest in (flat / "mesh").glob("*:0"):
        # cloud-volume looks for pieces by their last name, and does not find those in folders.
        pieces = json.loads(manifest.read_text())["fragments"]
        for n, piece in enumerate(pieces):
            (flat / "mesh" / piece).rename(flat / "mesh" / f"{manifest.name}:{n}")
        manifest.write_text(json.dumps({"fragments": [f"{manifest.name}:{n}" for n in range(len(pieces))]}))
    half = np.array(GRID.voxel_nm) / 2
    meshes = microns.fetch(microns.CloudMeshes(f"precomputed://file://{flat}"), [3, 4], tmp_path)
    assert meshes.missing == (4,)
    mesh = read_mesh(meshes.files[3])
    assert np.allclose((mesh.vertices_nm.min(0) + mesh.vertices_nm.max(0)) / 2 - half, [80, 40, 4 * 28], atol=0.1)
