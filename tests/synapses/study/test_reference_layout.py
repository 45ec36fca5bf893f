import pytest

from neurotome.core import ShapeError
from neurotome.datasets import synapse_phantoms
from neurotome.datasets.sce_layout import sce_volumes, write_sce_layout
from neurotome.synapses.study import VolumeEntry, check_sites, legend_warnings, open_volume, open_volumes, read_legend, read_sites


@pytest.fixture(scope="module", params=[("xlsx", False), ("one", True)], ids=["excel", "colour pictures, one table"])
def layout(request, tmp_path_factory):
    p1 = synapse_phantoms.p1()
    tables, rgb = request.param
    folder = tmp_path_factory.mktemp("sce") / "data"
    return p1, write_sce_layout(folder, [p1.volume], p1.sites, tables=tables, rgb=rgb)


def entry(folder):
    (found,) = sce_volumes(folder / "raw", folder / "seg", folder / "mask").values()
    return VolumeEntry("bbox7", found.raw, found.seg, found.mask, voxel_nm=(8.0, 8.0, 8.0))


def test_the_folders_of_the_reference_are_read_as_they_are(layout):
    p1, folder = layout
    volumes = open_volumes([entry(folder)], read_legend("sce"))
    for part in ("image", "neurons", "organelles"):
        assert (getattr(volumes["bbox7"], part).read() == getattr(p1.volume, part).read()).all()
    assert volumes["bbox7"].structures == p1.volume.structures
    tables = folder / "excel" if (folder / "excel").exists() else folder / "sites.csv"
    sites = read_sites(tables, columns="sce", dataset="phantom")
    assert sites[p1.sites.columns].equals(p1.sites)
    assert legend_warnings(volumes, sites) == ()
    kept, discarded = check_sites(sites, volumes)
    assert kept.index.tolist() == ["phantom/bbox7/1"] and len(discarded) == 0


def test_a_slice_less_is_an_error(layout):
    _, folder = layout
    known = entry(folder)
    removed = folder / "seg" / "bbox7" / "slice_119.tif"
    content = removed.read_bytes()
    removed.unlink()
    with pytest.raises(ShapeError, match=r"120.*119.*120"):
        open_volume(known, {"cleft": (4,)})
    removed.write_bytes(content)
