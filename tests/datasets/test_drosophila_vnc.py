import io
import zipfile

import imageio.v3 as iio
import numpy as np
import pytest

from neurotome.datasets import data_root, drosophila_vnc
from neurotome.datasets.folder import is_local

needs_data = pytest.mark.skipif(not is_local(drosophila_vnc.FACTS), reason=f"drosophila_vnc is not in {data_root()}")


def official_zip(stacks):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, stack in stacks.items():
            suffix = ".tif" if name == "raw" else ".png"
            for z, section in enumerate(stack):
                page = iio.imwrite("<bytes>", section, extension=suffix)
                file.writestr(f"groundtruth-drosophila-vnc-master/stack1/{name}/{z:02d}{suffix}", page)
            file.writestr(f"groundtruth-drosophila-vnc-master/stack2/{name}/00{suffix}", b"other stack")
    return buffer.getvalue()


def test_fetched_archive_loads(server, tmp_path):
    rng = np.random.default_rng(0)
    stacks = {"raw": rng.integers(0, 256, (20, 8, 8), np.uint8)}
    stacks |= {mask: np.where(rng.random((20, 8, 8)) > 0.5, 255, 0).astype(np.uint8) for mask in drosophila_vnc.MASKS}
    assert not drosophila_vnc.fetch(tmp_path / "drosophila_vnc", url=server.offer("v.zip", official_zip(stacks))).verified
    part = drosophila_vnc.load("kept_back", root=tmp_path)
    np.testing.assert_array_equal(part.image.read(), stacks["raw"][14:20])
    for mask in drosophila_vnc.MASKS:
        np.testing.assert_array_equal(part.masks[mask].read(), stacks[mask][14:20])
    assert part.image.grid.voxel_nm == (50.0, 4.6, 4.6)


@needs_data
@pytest.mark.realdata
def test_facts_of_the_real_stack():
    part = drosophila_vnc.load("labelled")
    assert part.labels_are == "membrane"
    assert part.image.grid.shape == (14, 1024, 1024)
    assert part.image.grid.voxel_nm == (50.0, 4.6, 4.6)
    fractions = {name: float((mask.read() == 255).mean()) for name, mask in part.masks.items()}
    assert round(fractions["membranes"], 3) == 0.208
    assert round(fractions["synapses"], 4) == 0.0006
    image, membranes = part.image.read(), part.labels.read()
    assert np.unique(membranes).tolist() == [0, 255]
    assert image[membranes == 255].mean() < image[membranes == 0].mean() - 20
