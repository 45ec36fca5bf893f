import numpy as np

from neurotome.datasets.fluorescence import fluorescence, random_spec


def test_random_specs_span_the_range_and_repeat_with_the_seed():
    specs = [random_spec(np.random.default_rng(n)) for n in range(300)]
    assert specs[7] == random_spec(np.random.default_rng(7))
    snr = np.array([s.snr for s in specs])
    ratio = np.array([s.voxel_nm[0] / s.unit_nm for s in specs])
    assert 2 <= snr.min() < 2.1 < 9.5 < snr.max() <= 10
    assert 1 <= ratio.min() < 1.01 < 3.8 < ratio.max() <= 4.001
    assert {s.dtype for s in specs} == {"uint8", "uint16"}
    assert 0.05 < np.mean([s.cut_sd is not None for s in specs]) < 0.4
    assert {s.neighbours for s in specs} == {0, 1, 2, 3}


def test_half_of_them_are_real_where_there_are_some(stack):
    specs = [random_spec(np.random.default_rng(n), morphologies=[stack.skeleton]) for n in range(100)]
    assert 30 < sum(s.source is not None for s in specs) < 70


def test_every_random_spec_can_be_rendered():
    rng = np.random.default_rng(2)
    for _ in range(12):
        made = fluorescence(random_spec(rng, shape=(24, 64, 64)))
        assert len(made.skeleton) > 20
        assert made.image.data.max() > made.image.data.min()
