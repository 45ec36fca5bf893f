"""What a run folder tells the page, and what it is refused for."""

import shutil

import numpy as np
import pytest

from neurotome.core import MissingFileError, RunFolderError
from neurotome.report.synapses.columns import VOLUME_COLOURS, columns_of
from neurotome.report.synapses.run import SynapseRun


def test_a_run_knows_its_look_clusters_and_links(bare):
    run = SynapseRun.open(bare)
    assert run.name == "made-up <b>study</b>" and run.look.mask == "11" and run.views == ["6_alpha0_5"]
    assert run.clusters == ["0", "1", "2"] and run.cluster_of.tolist() == [0, 1, 2] * 4
    assert run.largest_cleft == [16] * 11 + [-1]
    assert run.links == ["https://viewer.example/1"] + [""] * 11
    assert run.crop(3).key == run.ids[3] and list(run.maps) == ["umap", "pca"] and list(run.maps_in_space) == ["umap"]


def test_noise_comes_after_all_clusters(bare):
    run = SynapseRun.open(bare)
    run.table.obs["cluster"] = ["-1", "10", "2"] * 4
    assert run.clusters == ["2", "10", "-1"]


def test_a_view_has_its_own_tables_and_the_measures_of_the_run(bare):
    main, view = SynapseRun.open(bare), SynapseRun.open(bare, "6_alpha0_5")
    assert len(view.ids) == 10 and view.look.mask == "6"
    shown, _ = columns_of(view, main)
    areas = next(column for column in shown if column.name == "cleft_area_um2")
    assert np.allclose(areas.values, 0.1 + 0.01 * np.arange(10))
    assert view.rows("presynapses", shared=False) == () and len(view.rows("presynapses")) == 2


def test_what_is_no_colour_is_not_offered(bare):
    run = SynapseRun.open(bare)
    shown, told = columns_of(run, run)
    names = [column.name for column in shown]
    assert names == [
        "cluster",
        "volume",
        "spine",
        "cluster_other",
        *("cleft_area_um2", "vesicle_count"),
        "vesicle_percent_crop",
        "margin",
    ]
    assert [column.name for column in told][:2] == ["synapse_id", "pre_id"]


def test_reference_colours_go_by_the_number_of_the_volume(bare):
    run = SynapseRun.open(bare)
    run.table.obs["volume"] = ["bbox7", "bbox2"] * 6
    volume = next(column for column in columns_of(run, run, reference_colours=True)[0] if column.name == "volume")
    assert dict(zip(volume.groups, volume.colours)) == {"bbox7": VOLUME_COLOURS[6], "bbox2": VOLUME_COLOURS[1]}


def test_other_folders_are_refused(tmp_path, bare):
    with pytest.raises(RunFolderError):
        SynapseRun.open(tmp_path)
    shutil.copy(bare / "run.json", tmp_path)
    with pytest.raises(MissingFileError, match=r"features\.h5ad"):
        SynapseRun.open(tmp_path)
