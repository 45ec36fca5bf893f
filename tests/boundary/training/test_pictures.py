import imageio.v3 as imageio
import numpy as np
import pytest
from PIL import Image as Picture

from neurotome.boundary import TrainConfig
from neurotome.boundary.training.pictures import EpochPictures
from neurotome.core import Image, InputError
from neurotome.io import save
from neurotome.nn import normalize


def recipe(**pictures):
    volume = {"image": "i.tif", "truth": "t.tif", "truth_is": "instances", "train": "0:2", "validate_on": "2:6"}
    return TrainConfig(name="toy", volumes=[volume], pictures=pictures)


def taken(echo, out, epochs, *, config=None, card=None, ndim=2, unseen=None):
    pictures = EpochPictures(
        config or recipe(), card or echo.card("membrane"), unseen or echo.block(2, 6), out, ndim=ndim, bf16=False
    )
    for epoch in epochs:
        pictures(echo.network(), epoch)
    return pictures


def answer(section):
    return np.floor(255 / (1 + np.exp(-4 * normalize(section[None], "section_zscore")[0])) + 0.5)


def names(folder, pattern="*"):
    return sorted(p.name for p in folder.glob(pattern))


def test_three_epochs_leave_nine_pictures_and_three_animations_of_three_frames(tmp_path, echo):
    taken(echo, tmp_path, range(3)).animate()
    assert names(tmp_path / "frames") == [f"section{z:03d}_epoch{e:04d}.png" for z in (2, 4, 5) for e in range(3)]
    image, _ = echo.stack()
    for z in (2, 4, 5):
        frame = imageio.imread(tmp_path / "frames" / f"section{z:03d}_epoch0002.png")
        assert frame.dtype == np.uint8 and np.abs(frame - answer(image.read()[z])).max() <= 1
        with Picture.open(tmp_path / f"progress_section{z:03d}.gif") as animation:
            assert (animation.n_frames, animation.info["duration"], animation.info["loop"]) == (3, 250, 0)
    assert names(tmp_path, "*.gif") == [f"progress_section{z:03d}.gif" for z in (2, 4, 5)]


def test_an_animation_has_the_frames_of_an_earlier_call_in_the_order_of_epochs(tmp_path, echo):
    taken(echo, tmp_path, (0, 9))
    marked = np.zeros((40, 40), np.uint8)
    imageio.imwrite(tmp_path / "frames" / "section004_epoch0002.png", marked)
    taken(echo, tmp_path, (10, 12345)).animate()
    frames = imageio.imread(tmp_path / "progress_section004.gif", mode="L")
    assert len(frames) == 5 and np.array_equal(frames[1], marked) and frames[0].any() and frames[2].any()


def test_sections_can_be_named_also_those_of_another_image(tmp_path, echo):
    assert taken(echo, tmp_path, (), config=recipe(sections=(3, 2))).sections == (3, 2)
    other, _ = echo.stack(20, seed=5)
    save(Image(other.read(), other.grid), tmp_path / "test.tif")
    config = recipe(sections=(15, 2), image=tmp_path / "test.tif")
    pictures = taken(echo, tmp_path / "out", (0,), config=config)
    pictures.save_sections()
    frame = imageio.imread(tmp_path / "out" / "frames" / "section015_epoch0000.png")
    assert np.abs(frame - answer(other.read()[15])).max() <= 1
    assert names(tmp_path / "out" / "pictures") == ["section002_input.png", "section015_input.png"]
    for wrong in (recipe(sections=(6,)), recipe(sections=(20,), image=tmp_path / "test.tif")):
        with pytest.raises(InputError, match=r"sections (2 to 5|0 to 19)"):
            taken(echo, tmp_path, (), config=wrong)


def test_input_and_target_are_kept_for_the_report(tmp_path, echo):
    taken(echo, tmp_path, ()).save_sections()
    assert names(tmp_path / "pictures") == [f"section{z:03d}_{w}.png" for z in (2, 4, 5) for w in ("input", "target")]
    image, labels = echo.stack()
    target = imageio.imread(tmp_path / "pictures" / "section004_target.png")
    wall = labels.read()[4] == 0
    assert set(np.unique(target)) == {0, 255} and (target[wall] == 255).all() and target[~wall].mean() < 200
    shown = imageio.imread(tmp_path / "pictures" / "section004_input.png").astype(float)
    assert np.corrcoef(shown.ravel(), image.read()[4].ravel())[0, 1] > 0.99


def test_the_last_overlap_has_no_target_and_3d_networks_show_the_middle(tmp_path, echo):
    taken(echo, tmp_path, (), card=echo.card("overlap")).save_sections()
    assert names(tmp_path / "pictures", "*target*") == ["section002_target.png", "section004_target.png"]
    assert taken(echo, tmp_path, (), ndim=3).sections == (4,)
