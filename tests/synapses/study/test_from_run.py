import json
from dataclasses import replace

import pytest

from neurotome.core import FormatError, MissingFileError
from neurotome.datasets import synapse_phantoms
from neurotome.io import save
from neurotome.synapses.study.from_run import entry_of_run, sites_of_run
from neurotome.synapses.study.site_checks import check_sites
from neurotome.synapses.study.volumes import open_volume


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """What `reconstruct` leaves, as far as it matters here, and organelles beside it."""
    p1 = synapse_phantoms.p1().volume
    folder = tmp_path_factory.mktemp("study")
    out = folder / "run7"
    out.mkdir()
    save(p1.image, folder / "image.ome.tif")
    save(p1.neurons, out / "neurons.ome.zarr")
    save(p1.organelles, folder / "organelles.ome.tif")
    (out / "run.json").write_text(json.dumps({"command": "reconstruct", "config": {"image": str(folder / "image.ome.tif")}}))
    return out


def test_a_run_and_a_cleft_volume_give_a_volume_and_sites(run):
    entry = entry_of_run(run, run.parent / "organelles.ome.tif", origin_vox=(1, 2, 3))
    volume = open_volume(entry, {"cleft": (4,), "cleft2": (3,)})
    expected = synapse_phantoms.p1().volume
    assert volume.name == "run7" and volume.origin_vox == (1, 2, 3)
    assert (volume.neurons.read() == expected.neurons.read()).all() and (volume.image.read() == expected.image.read()).all()
    sites, discarded = sites_of_run(run, run.parent / "organelles.ome.tif", ids=(4,), dataset="d")
    assert sites.index.tolist() == ["d/run7/1", "d/run7/2"] and len(discarded) == 0
    assert len(check_sites(sites, {"run7": replace(volume, name="run7")})[0]) == 2


def test_what_is_no_run(tmp_path, run):
    with pytest.raises(MissingFileError, match=r"holds no neurons\.ome\.zarr"):
        entry_of_run(tmp_path, "organelles.tif")
    (tmp_path / "neurons.ome.zarr").mkdir()
    with pytest.raises(FormatError, match="names no image"):
        entry_of_run(tmp_path, "organelles.tif")
