"""Whatever the tiling, the answer is the same: the property that large volumes rest on."""

import numpy as np
import pytest
import torch

from neurotome.core import Box, InputError, ModelCard, ValueRangeError
from neurotome.nn import Predictor, build, receptive_halo, section_scales, tile_bytes
from neurotome.nn.unet_zambare import UNetZambare, UNetZambareConfig

CHANNELS = ("affinity:1,0,0", "affinity:0,1,0", "affinity:0,0,1", "membrane")
OFFSETS = ((1, 0, 0), (0, 1, 0), (0, 0, 1), None)


def network_and_card(family: str, **config):
    torch.manual_seed(0)
    if family == "unet_zambare":  # in full it would take seconds
        network = UNetZambare(UNetZambareConfig(out_channels=4, **config), width=2)
    else:
        network = build(family, {"out_channels": 4, **config})
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d | torch.nn.BatchNorm3d):
                module.running_mean.normal_(0, 0.2)
                module.running_var.uniform_(0.5, 2)
            if family == "generator" and isinstance(module, torch.nn.Conv2d | torch.nn.ConvTranspose2d):
                torch.nn.init.kaiming_normal_(module.weight)  # as they begin, nothing far away would show
    card = ModelCard("toy", family, {}, CHANNELS, (30, 6, 6), "section_zscore", receptive_halo(network))
    return network, card


def predictor(volume: np.ndarray, family="unet2d", *, config=None, **options) -> Predictor:
    network, card = network_and_card(family, **(config or {"sections": 3, "widths": (4, 8)}))
    scales = scales_of(volume)
    return Predictor(network, card, lambda box: volume[box.slices], volume.shape, scales, offsets=OFFSETS, **options)


def scales_of(volume: np.ndarray, method="section_zscore") -> np.ndarray:
    return section_scales(lambda box: volume[box.slices], volume.shape, volume.dtype, method)


@pytest.fixture(scope="module")
def volume():
    return np.random.default_rng(0).integers(0, 255, (5, 50, 70)).astype(np.uint8)


NETWORKS = [
    ("unet2d", None),
    ("rsunet3d", {"widths": (3, 4)}),
    ("unet_zambare", {"sections": 2}),
    ("generator", {"kind": "unet", "depth": 3, "width": 4}),
    ("generator", {"kind": "resnet", "width": 2, "blocks": 2}),
    ("generator", {"kind": "highway", "width": 2, "blocks": 2}),
    ("generator", {"kind": "dense", "width": 2, "blocks": 1}),
]


@pytest.mark.parametrize(("family", "config"), NETWORKS)
# In bf16 a value near 1 is known to 8 bits: one rounding is 2^-8, and arrays of another shape are added up in another order.
@pytest.mark.parametrize(("bf16", "tolerance"), [(False, 1e-5), (True, 2**-8)])
def test_tiles_and_boxes_do_not_show(volume, family, config, bf16, tolerance):
    whole = predictor(volume, family, config=config, bf16=bf16, tile=96)(Box((0, 0, 0), volume.shape))
    tiled = predictor(volume, family, config=config, bf16=bf16, tile=32)
    for size in ((5, 50, 70), (2, 31, 50)):
        out = np.empty_like(whole)
        for box in Box((0, 0, 0), volume.shape).tiles(size):
            out[(slice(None), *box.slices)] = tiled(box)
        assert np.abs(out - whole).max() < tolerance


@pytest.mark.parametrize(("family", "config"), NETWORKS)
@pytest.mark.parametrize("bf16", [False, True])
def test_any_box_is_that_part_of_the_whole_to_the_last_bit(volume, family, config, bf16, rng):
    ready = predictor(volume, family, config=config, bf16=bf16, tile=32)
    whole = ready(Box((0, 0, 0), volume.shape))
    for _ in range(8):
        start, stop = np.sort([rng.integers(0, n, 2) for n in volume.shape], axis=1).T
        box = Box(tuple(start), tuple(stop + 1))
        assert np.array_equal(ready(box), whole[(slice(None), *box.slices)])


def test_the_number_of_threads_does_not_show(volume):
    """In bf16, as shipped networks run. In float32 the library adds in another order: 1e-7."""
    threads, answers = torch.get_num_threads(), []
    try:
        for n in (1, 2):
            torch.set_num_threads(n)
            answers.append(predictor(volume, tile=32)(Box((0, 0, 0), volume.shape)))
    finally:
        torch.set_num_threads(threads)
    assert np.array_equal(*answers)


def test_seams_are_no_different_from_elsewhere(volume):
    whole = predictor(volume, tile=96)(Box((0, 0, 0), volume.shape))
    tiled = predictor(volume, tile=32)(Box((0, 0, 0), volume.shape))
    steps = [np.abs(np.diff(p, axis=-1)).mean(axis=(0, 1, 2)) for p in (whole, tiled)]
    assert np.abs(steps[0] - steps[1])[[31]].max() < 1e-4


def test_averaging_over_symmetries_is_equivariant(volume):
    """Predicting the mirrored volume gives the mirrored answer, with every pair still stored at its lower voxel."""
    plain = predictor(volume, averaging=8)(Box((0, 0, 0), volume.shape))
    turned = predictor(np.ascontiguousarray(volume[:, :, ::-1]), averaging=8)(Box((0, 0, 0), volume.shape))
    z_pairs, y_pairs, membrane = (turned[c][..., ::-1] for c in (0, 1, 3))
    inner = (slice(None), slice(12, -12), slice(12, -12))  # the reflected border is not symmetric in odd sizes
    for ours, theirs in ((plain[0], z_pairs), (plain[1], y_pairs), (plain[3], membrane)):
        assert np.abs(ours - theirs)[inner].max() < 0.02
    x_pairs = turned[2][..., ::-1][..., 1:]  # pair (x, x + 1) of the mirror image is stored one voxel further
    assert np.abs(plain[2][..., :-1] - x_pairs)[:, 12:-12, 12:-12].max() < 0.02


def test_pairs_that_leave_the_volume_are_zero(volume):
    out = predictor(volume)(Box((0, 0, 0), volume.shape))
    assert not out[0, -1].any() and not out[1, :, -1].any() and not out[2, :, :, -1].any()
    assert out[0, :-1].all() and out[3].all()


def test_kept_channels_are_the_ones_asked_for(volume):
    everything, some = predictor(volume)(Box((0, 0, 0), (1, 32, 32))), predictor(volume, keep=(3, 1))
    assert some.channels == ("membrane", "affinity:0,1,0")
    assert np.array_equal(some(Box((0, 0, 0), (1, 32, 32))), everything[[3, 1]])


@pytest.mark.parametrize("method", ["section_zscore", "percentile"])
def test_sections_that_are_read_in_parts_have_the_same_scale(volume, method, monkeypatch):
    whole = scales_of(volume, method)
    for at_once in (100, 5000, 10**6):
        monkeypatch.setattr("neurotome.nn.tiles.SCALED_AT_ONCE", at_once)
        assert np.array_equal(scales_of(volume, method), whole)
        assert np.allclose(scales_of(volume.astype(np.float32), method), whole)


def test_no_more_is_read_at_once_than_said(monkeypatch):
    monkeypatch.setattr("neurotome.nn.tiles.SCALED_AT_ONCE", 2000)
    seen = []

    def read(box):
        seen.append(box)
        return np.arange(box.size, dtype=np.uint8).reshape(box.shape)

    for shape in ((40, 30, 30), (20, 90, 100)):
        section_scales(read, shape, np.dtype(np.uint8), "section_zscore")
        assert sum(b.size for b in seen) == np.prod(shape) and max(b.size for b in seen) <= 2000
        seen.clear()


def test_grey_values_that_say_nothing_are_refused(volume, monkeypatch):
    with pytest.raises(ValueRangeError, match="Every section of the image is constant"):
        scales_of(np.full((3, 32, 32), 7, np.uint8))
    broken = volume.astype(np.float32)
    broken[3, 41, 6] = np.inf
    for at_once in (100, 10**6):
        monkeypatch.setattr("neurotome.nn.tiles.SCALED_AT_ONCE", at_once)
        with pytest.raises(ValueRangeError, match=r"Section 3 .*\(41, 6\)"):
            scales_of(broken)


def test_values_too_large_for_float32_are_refused():
    with pytest.raises(ValueRangeError, match="too large for float32"):
        scales_of(np.array([[[0.0, 1e40]]]))


def test_a_scale_that_rests_on_no_grey_value_needs_none():
    def read(box):
        raise AssertionError(f"{box} is read")

    assert (section_scales(read, (2, 9, 9), np.dtype(np.uint8), "unit") == np.array([0, 1 / 255], np.float32)).all()


def test_bad_input_is_refused_before_any_work(volume):
    with pytest.raises(InputError, match="Averaging over 3 variants"):
        predictor(volume, averaging=3)
    with pytest.raises(InputError, match="multiple of 2"):
        predictor(volume, tile=31)


class Window(torch.nn.Module):
    """Answers with the grey values of its window, section by section."""

    ndim, stride, whole_sections = 2, (1, 1, 1), False

    def __init__(self, sections):
        super().__init__()
        self.config = UNetZambareConfig(sections, sections)

    def forward(self, x):
        return torch.logit(x)


@pytest.mark.parametrize(("sections", "steps"), [(1, [0]), (2, [0, 1]), (3, [-1, 0, 1]), (4, [-1, 0, 1, 2])])
def test_the_window_of_a_section(sections, steps):
    """An odd window is centred on its section, an even one begins before the middle; at the ends the last section is repeated."""
    volume = np.linspace(0.1, 0.9, 6, dtype=np.float32)[:, None, None] * np.ones((1, 8, 8), np.float32)
    names = tuple(f"class:{s}" for s in steps)
    card = ModelCard("window", "unet2d", {}, names, (30, 6, 6), "unit", (sections // 2, 0, 0))
    scales = scales_of(volume, "unit")
    read = lambda box: volume[box.slices]  # noqa: E731
    ready = Predictor(Window(sections), card, read, volume.shape, scales, offsets=[None] * sections, bf16=False, tile=8)
    answer = ready(Box((0, 0, 0), volume.shape))
    for channel, step in zip(answer, steps, strict=True):
        expected = volume[(np.arange(6) + step).clip(0, 5), 0, 0]
        assert np.allclose(channel[:, 3, 3], expected)


LEGACY = {"kind": "resnet", "legacy": True, "width": 2, "blocks": 1, "out_channels": 1}


def legacy_predictor(volume: np.ndarray, **options) -> Predictor:
    torch.manual_seed(0)
    network = build("generator", LEGACY)
    card = ModelCard("toy", "generator", LEGACY, ("membrane",), (30, 6, 6), "signed_unit", receptive_halo(network))
    scales = scales_of(volume, card.normalization)
    return Predictor(network, card, lambda box: volume[box.slices], volume.shape, scales, offsets=[None], bf16=False, **options)


def test_batch_statistics_are_those_of_the_whole_section(volume):
    """As the reference predicts: the section alone, without a border."""
    ready = legacy_predictor(volume)
    whole = ready(Box((0, 0, 0), volume.shape))
    with torch.inference_mode():
        by_hand = torch.sigmoid(ready.network(torch.from_numpy(volume[2:3, None].astype(np.float32) / 127.5 - 1)))
    assert np.abs(whole[0, 2] - by_hand[0, 0].numpy()).max() < 1e-5
    box = Box((1, 13, 20), (4, 40, 61))
    assert np.array_equal(ready(box), whole[(slice(None), *box.slices)])


def test_a_network_of_whole_sections_is_not_tiled(volume):
    with pytest.raises(InputError, match=r"Tile of 32 px .* 50 x 70 px.*corrected variant .*legacy: false"):
        legacy_predictor(volume, tile=32)
    legacy_predictor(volume, tile=1024)


def test_averaging_of_pairs_along_z_only():
    """Two channels that speak of the same pair stay apart when y and x are exchanged."""
    volume = np.linspace(0.1, 0.9, 64, dtype=np.float32).reshape(1, 8, 8) * np.ones((2, 1, 1), np.float32)
    card = ModelCard("window", "unet2d", {}, ("affinity:1,0,0", "overlap"), (30, 6, 6), "unit", (1, 0, 0))
    network = Window(2)
    network.forward = lambda x: torch.logit(torch.stack([x[:, 0], x[:, 0] / 2], 1))
    read, scales = (lambda box: volume[box.slices]), scales_of(volume, "unit")
    ready = Predictor(network, card, read, volume.shape, scales, offsets=[(1, 0, 0)] * 2, bf16=False, tile=8, averaging=8)
    answer = ready(Box((0, 0, 0), volume.shape))
    assert np.allclose(answer[0, 0], volume[0], atol=1e-6) and np.allclose(answer[1, 0], volume[0] / 2, atol=1e-6)
    assert not answer[:, 1].any()


@pytest.mark.parametrize(
    ("family", "config"),
    [("unet_zambare", {}), ("generator", {"out_channels": 1, "kind": "unet"}), ("unet2d", {"out_channels": 1})],
)
def test_the_memory_of_a_tile_holds_the_weights_and_the_widest_arrays(family, config):
    with torch.device("meta"):
        network = build(family, config)
    weights = 4 * sum(p.numel() for p in network.parameters())
    arrays = 2 * network.config.full_size_width * 1024**2
    card = ModelCard("toy", family, config, ("membrane",), (30, 6, 6), "unit", (0, 96, 96))
    assert weights + 4 * arrays < tile_bytes(card, 1) < 3e9


def test_the_memory_of_a_whole_section_grows_with_it():
    card = ModelCard("toy", "generator", LEGACY, ("membrane",), (30, 6, 6), "signed_unit", (0, 0, 0))
    assert tile_bytes(card, 1, (4096, 4096)) > 15 * tile_bytes(card, 1, (1024, 1024))
