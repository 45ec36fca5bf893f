import imagecodecs
import numpy as np
import pytest
import tifffile

from neurotome.core import FormatError, Grid, Image, InputError, Labels, ShapeError, UnitError, UnknownNameError
from neurotome.io import LazyArray, save
from neurotome.synapses.study.volumes import VolumeEntry, open_volume, open_volumes

SHAPE, VOXEL = (12, 20, 24), (8.0, 8.0, 8.0)
STRUCTURES = {"vesicles": (2,), "cleft": (4,)}


@pytest.fixture
def arrays(rng):
    image = rng.integers(0, 256, SHAPE, dtype=np.uint8)
    neurons = rng.integers(0, 3, SHAPE).astype(np.uint16)
    organelles = rng.choice(np.array([0, 2, 4], np.uint8), SHAPE)
    return {"image": image, "neurons": neurons, "organelles": organelles}


def write_slices(folder, values, *, rgb=False, names="slice_{}.tif"):
    folder.mkdir()
    for z, section in enumerate(values):
        pixels = np.stack([section] * 3, -1) if rgb and section.ndim == 2 else section
        tifffile.imwrite(folder / names.format(z), pixels, photometric="rgb" if pixels.ndim == 3 else "minisblack")
    return folder


@pytest.fixture
def folders(arrays, tmp_path):
    return {what: write_slices(tmp_path / what, values) for what, values in arrays.items()}


def test_slice_folders_are_read_lazily_and_in_natural_order(arrays, folders):
    volume = open_volume(VolumeEntry("bbox1", **folders, voxel_nm=VOXEL, origin_vox=(1, 2, 3)), STRUCTURES)
    assert all(isinstance(part.data, LazyArray) for part in (volume.image, volume.neurons, volume.organelles))
    for what, values in arrays.items():
        assert np.array_equal(getattr(volume, what).read(), values)
    assert volume.structures == STRUCTURES and volume.origin_vox == (1, 2, 3) and volume.image.grid.voxel_nm == VOXEL


def test_rgb_slices_of_equal_colours_are_the_same_volume(arrays, tmp_path):
    folders = {what: write_slices(tmp_path / what, v.astype(np.uint8), rgb=True) for what, v in arrays.items()}
    volume = open_volume(VolumeEntry("bbox1", **folders, voxel_nm=VOXEL), STRUCTURES)
    for what, values in arrays.items():
        assert np.array_equal(getattr(volume, what).read(), values)


def test_colours_become_luminance_in_an_image_and_an_error_in_labels(arrays, folders, tmp_path):
    coloured = np.stack([arrays["image"], np.full(SHAPE, 50, np.uint8), np.zeros(SHAPE, np.uint8)], -1)
    image = write_slices(tmp_path / "coloured", coloured)
    read = open_volume(VolumeEntry("b", **{**folders, "image": image}, voxel_nm=VOXEL), STRUCTURES).image.read()
    assert np.abs(read - (0.2989 * coloured[..., 0] + 0.587 * 50)).max() < 0.55
    with pytest.raises(InputError, match="colour"):
        open_volume(VolumeEntry("b", **{**folders, "organelles": image}, voxel_nm=VOXEL), STRUCTURES).organelles.read()


def test_one_slice_less_names_the_folders_and_their_counts(folders):
    (folders["neurons"] / "slice_11.tif").unlink()
    with pytest.raises(ShapeError) as error:
        open_volume(VolumeEntry("bbox1", **folders, voxel_nm=VOXEL), STRUCTURES)
    for said in ("bbox1", f"12 in '{folders['image']}'", f"11 in '{folders['neurons']}'", f"12 in '{folders['organelles']}'"):
        assert said in str(error.value)


def test_a_gap_and_a_folder_without_slices_are_errors(folders, tmp_path):
    (folders["neurons"] / "slice_5.tif").unlink()
    with pytest.raises(FormatError, match="section 5 is missing"):
        open_volume(VolumeEntry("bbox1", **folders, voxel_nm=VOXEL), STRUCTURES)
    (tmp_path / "empty").mkdir()
    with pytest.raises(FormatError, match="holds no section images"):
        open_volume(VolumeEntry("bbox1", **{**folders, "neurons": tmp_path / "empty"}, voxel_nm=VOXEL), STRUCTURES)


def test_a_missing_voxel_size_names_the_setting(folders):
    with pytest.raises(UnitError, match=r"volume 'bbox1'.*voxel_nm: \[8, 8, 8\]"):
        open_volume(VolumeEntry("bbox1", **folders), STRUCTURES)


def test_files_that_state_another_voxel_size_are_listed(arrays, tmp_path):
    paths = {}
    for what, values in arrays.items():
        paths[what] = tmp_path / f"{what}.ome.tif"
        voxel = (16.0, 8.0, 8.0) if what == "neurons" else VOXEL
        save((Image if what == "image" else Labels)(values, Grid(SHAPE, voxel)), paths[what])
    with pytest.raises(UnitError) as error:
        open_volume(VolumeEntry("v", **paths), STRUCTURES)
    for said in ("states 8, 8, 8 nm", "states 16, 8, 8 nm", "image", "neurons", "organelles", "scale"):
        assert said in str(error.value)


def test_other_shapes_are_listed_and_a_scale_makes_them_fit(arrays, folders, tmp_path):
    coarse = arrays["organelles"][:, ::2, ::2]
    folders["organelles"] = write_slices(tmp_path / "coarse", coarse)
    entry = VolumeEntry("v", **folders, voxel_nm=VOXEL)
    with pytest.raises(ShapeError, match=r"image .* \(12, 20, 24\); neurons .*; organelles .* \(12, 10, 12\).*scale"):
        open_volume(entry, STRUCTURES)
    scaled = VolumeEntry("v", **folders, voxel_nm=VOXEL, scale={"organelles": (1, 2, 2)})
    volume = open_volume(scaled, STRUCTURES)
    whole = coarse.repeat(2, 1).repeat(2, 2)
    assert np.array_equal(volume.organelles.read(), whole)
    assert np.array_equal(np.asarray(volume.organelles.data[3:7, 5:12, 1:2]), whole[3:7, 5:12, 1:2])


def test_a_volume_per_structure_becomes_one_with_the_last_on_top(arrays, folders, tmp_path):
    cleft = arrays["organelles"] == 4
    vesicles = arrays["image"] > 128
    paths = {}
    for name, mask in (("vesicles", vesicles), ("cleft", cleft)):
        (tmp_path / name).mkdir()
        for z, section in enumerate(mask):
            (tmp_path / name / f"{z}.png").write_bytes(imagecodecs.png_encode(section.astype(np.uint8) * 255))
        paths[name] = tmp_path / name
    volume = open_volume(VolumeEntry("v", folders["image"], folders["neurons"], paths, voxel_nm=VOXEL))
    assert volume.structures == {"vesicles": (1,), "cleft": (2,)}
    assert np.array_equal(volume.organelles.read(), np.where(cleft, 2, vesicles))
    assert isinstance(volume.organelles.data, LazyArray)


def test_a_study_needs_a_legend_for_each_volume_and_a_name_once(folders):
    entry = VolumeEntry("bbox9", **folders, voxel_nm=VOXEL)
    with pytest.raises(UnknownNameError, match="bbox9"):
        open_volumes([entry], {"bbox1": STRUCTURES})
    with pytest.raises(InputError, match="Two volumes"):
        open_volumes([entry, entry], {"bbox9": STRUCTURES})
    assert list(open_volumes([entry], {"default": STRUCTURES})) == ["bbox9"]


def test_a_bad_entry_is_refused():
    with pytest.raises(InputError, match="without /"):
        VolumeEntry("a/b", "i", "n", "o")
    with pytest.raises(UnknownNameError, match="'image'"):
        VolumeEntry("a", "i", "n", "o", scale={"image": (1, 1, 1)})
    with pytest.raises(InputError, match="organelle called neurons"):
        VolumeEntry("a", "i", "n", {"neurons": "o"})
    with pytest.raises(InputError, match="structure 'pre'"):
        VolumeEntry("a", "i", "n", {"pre": "o"})
    with pytest.raises(ShapeError, match="scale"):
        VolumeEntry("a", "i", "n", "o", scale={"neurons": (1, 2)})
