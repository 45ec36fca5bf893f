import pytest
import torch

from neurotome.core import ShapeError, ValueRangeError
from neurotome.nn.contrastive import CropAugmentation, augment_crops

SIDE = 16
STILL = {
    "rotation_deg": 0.0,
    "scale": (1.0, 1.0),
    "shift": 0.0,
    "contrast": 0.0,
    "brightness": 0.0,
    "gamma": (1.0, 1.0),
    "section": 0.0,
    "noise": 0.0,
    "blur_vox": 0.0,
    "blackout": 0,
    "cutout": 0.0,
    "inflate_vox": 0,
}


@pytest.fixture
def crops():
    generator = torch.Generator().manual_seed(1)
    image = torch.rand(6, SIDE, SIDE, SIDE, generator=generator)
    mask = torch.zeros(6, SIDE, SIDE, SIDE, dtype=torch.bool)
    mask[:, 4:12, 5:11, 6:10] = True
    return image, mask


def _made(crops, seed=0, **how):
    return augment_crops(*crops, CropAugmentation(**how), torch.Generator().manual_seed(seed))


def test_the_seed_decides(crops):
    assert torch.equal(_made(crops, 5), _made(crops, 5))
    assert not torch.equal(_made(crops, 5), _made(crops, 6))


def test_the_background_is_one_grey_whatever_happens(crops):
    made = _made(crops, 2, likely=1.0)
    assert made.shape == (6, 1, SIDE, SIDE, SIDE) and made.dtype == torch.float32
    assert bool((made == 0.6).flatten(1).float().mean(1).gt(0.5).all())
    assert float(made.min()) >= 0 and float(made.max()) <= 1


def test_symmetries_move_voxels_and_change_none(crops):
    image, mask = crops
    made = _made(crops, 3, symmetries=48, **STILL)
    for i in range(len(image)):
        seen = torch.where(mask[i], image[i], torch.tensor(0.6))
        assert torch.equal(made[i].flatten().sort().values, seen.flatten().sort().values)
    assert not torch.equal(made[:, 0], torch.where(mask, image, torch.tensor(0.6)))


def test_longer_voxels_keep_their_axis(crops):
    image = torch.arange(SIDE).float().div(SIDE).view(1, SIDE, 1, 1).expand(6, SIDE, SIDE, SIDE)
    full = torch.ones_like(crops[1])
    made = _made((image, full), 4, symmetries=16, **STILL)
    assert bool((made.std(dim=(3, 4)) == 0).all())


def test_nothing_is_done_where_nothing_may_be_done(crops):
    image, mask = crops
    assert torch.allclose(_made(crops, 1, symmetries=1, **STILL)[:, 0], torch.where(mask, image, torch.tensor(0.6)))


def test_a_whole_turn_brings_the_crop_back(crops):
    turned = augment_crops(
        crops[0][:, 4:12, 4:12, 4:12],
        torch.ones(6, 8, 8, 8, dtype=torch.bool),
        CropAugmentation(symmetries=1, likely=0.0),
        torch.Generator().manual_seed(0),
    )
    # No crop is changed with probability 0; the resampling itself must not shift by half a voxel.
    assert torch.allclose(turned[:, 0], crops[0][:, 4:12, 4:12, 4:12], atol=1e-5)


def test_holes_spare_the_middle(crops):
    full = torch.ones_like(crops[1])
    kinds = {**STILL, "blackout": 0, "cutout": 0.5}
    made = _made((crops[0], full), 7, symmetries=1, likely=1.0, **kinds)
    middle = slice(SIDE // 4, SIDE - SIDE // 4)
    assert torch.allclose(made[:, 0, middle, middle, middle], crops[0][:, middle, middle, middle])
    assert float((made == 0.6).float().mean()) > 0.02


def test_masks_grow(crops):
    kinds = {**STILL, "inflate_vox": 2}
    grown = _made(crops, 0, symmetries=1, likely=1.0, **kinds)
    assert int((grown != 0.6).sum()) > int(crops[1].sum())


def test_what_cannot_be_is_refused(crops):
    with pytest.raises(ShapeError, match="two equal"):
        augment_crops(crops[0], crops[1][:2], CropAugmentation(), torch.Generator())
    with pytest.raises(ValueRangeError, match="symmetries 8"):
        CropAugmentation(symmetries=8)
