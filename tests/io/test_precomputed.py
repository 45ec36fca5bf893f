import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import tensorstore as ts

from neurotome.core import FormatError, Grid, Image, InputError, Labels, Probability, UnitError, UnknownNameError, ValueRangeError
from neurotome.io import describe, guess_kind, open_image, open_labels, open_probability, save


def info(path: Path) -> dict[str, object]:
    return dict(json.loads((path / "info").read_text()))


def test_the_info_is_in_x_y_z_order(tmp_path: Path, image: Image) -> None:
    save(image, tmp_path / "a.precomputed")
    scale = info(tmp_path / "a.precomputed")["scales"][0]  # type: ignore[index]
    assert scale["size"] == [50, 40, 5]
    assert scale["resolution"] == [4.0, 6.0, 30.0]
    assert scale["voxel_offset"] == [5, 2, 2]


def test_another_reader_sees_the_same_voxels(tmp_path: Path, image: Image) -> None:
    save(image, tmp_path / "a.precomputed")
    spec = {"driver": "neuroglancer_precomputed", "kvstore": {"driver": "file", "path": str(tmp_path / "a.precomputed")}}
    theirs = ts.open(spec, open=True).result()
    assert theirs.domain.origin == (5, 2, 2, 0)
    assert np.array_equal(theirs[..., 0].read().result().T, image.read())


@pytest.mark.parametrize("encoding", ["raw", "compressed_segmentation"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.uint64, np.int32])
def test_labels_in_both_encodings(tmp_path: Path, labels: Labels, encoding: str, dtype: type) -> None:
    ids = labels.read().astype(dtype)
    ids[0, 0, 0] = np.iinfo(dtype).max
    save(Labels(ids, labels.grid, labels.legend), tmp_path / "a.precomputed", encoding=encoding)
    found = open_labels(tmp_path / "a.precomputed")
    assert np.array_equal(found.read(), ids)
    assert (found.grid, found.legend) == (labels.grid, labels.legend)
    assert info(tmp_path / "a.precomputed")["scales"][0]["encoding"] == encoding  # type: ignore[index]
    assert guess_kind(tmp_path / "a.precomputed") == "labels"


def test_labels_are_compressed_unless_told_otherwise(tmp_path: Path, labels: Labels) -> None:
    save(labels, tmp_path / "a.precomputed")
    assert describe(tmp_path / "a.precomputed").format == "precomputed (compressed_segmentation)"


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.uint8])
def test_channels(tmp_path: Path, probability: Probability, dtype: type) -> None:
    values = (probability.read() * (255 if dtype == np.uint8 else 1)).astype(dtype)
    save(Probability(values, probability.grid, probability.channels), f"precomputed://{tmp_path}/a")
    found = open_probability(f"precomputed://{tmp_path}/a")
    assert found.channels == probability.channels
    assert np.array_equal(found.read(), values.astype(found.data.dtype))


def test_jpeg_is_read(tmp_path: Path) -> None:
    spec = {
        "driver": "neuroglancer_precomputed",
        "kvstore": {"driver": "file", "path": str(tmp_path / "a")},
        "multiscale_metadata": {"type": "image", "data_type": "uint8", "num_channels": 1},
        "scale_metadata": {"size": [40, 30, 3], "resolution": [4, 6, 30], "encoding": "jpeg", "chunk_size": [32, 32, 2]},
    }
    ts.open(spec, create=True).result()[...].write(np.uint8(100)).result()
    found = open_image(tmp_path / "a")
    assert found.grid == Grid((3, 30, 40), (30.0, 6.0, 4.0))
    assert np.abs(found.read().astype(int) - 100).max() <= 1


def test_an_origin_off_the_lattice_is_refused(tmp_path: Path, image: Image) -> None:
    shifted = Image(image.read(), Grid(image.grid.shape, image.grid.voxel_nm, (1.0, 0.0, 0.0)))
    with pytest.raises(UnitError, match=r"no whole number of voxels.*\.ome\.zarr"):
        save(shifted, tmp_path / "a.precomputed")
    assert list(tmp_path.iterdir()) == []


def test_types_and_encodings_the_format_lacks(tmp_path: Path, image: Image) -> None:
    with pytest.raises(ValueRangeError, match="float64"):
        save(Image(image.read().astype(float), image.grid), tmp_path / "a.precomputed")
    with pytest.raises(UnknownNameError, match="did you mean 'raw'"):
        save(image, tmp_path / "a.precomputed", encoding="rwa")
    with pytest.raises(ValueRangeError, match="holds no labels"):
        save(image, tmp_path / "a.precomputed", encoding="compressed_segmentation")
    with pytest.raises(InputError, match="only precomputed has a choice"):
        save(image, tmp_path / "a.tif", encoding="raw")


def test_a_cut_chunk_is_named(tmp_path: Path, image: Image) -> None:
    save(image, tmp_path / "a.precomputed")
    chunk = next((tmp_path / "a.precomputed" / "4_6_30").iterdir())
    chunk.write_bytes(chunk.read_bytes()[:100])
    with pytest.raises(FormatError, match=f"damaged.*{chunk}"):
        open_image(tmp_path / "a.precomputed").read()


@pytest.mark.parametrize("content", ["{", "{}", '{"scales": []}', "[]"])
def test_a_damaged_info_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "info").write_text(content)
    with pytest.raises(FormatError, match="info' is not the info of a volume"):
        open_image(tmp_path)


def test_it_survives_the_way_to_another_process(tmp_path: Path, image: Image) -> None:
    save(image, tmp_path / "a.precomputed")
    assert np.array_equal(pickle.loads(pickle.dumps(open_image(tmp_path / "a.precomputed"))).read(), image.read())
