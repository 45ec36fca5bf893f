import math

import pytest
import torch

from neurotome.nn import FitSettings
from neurotome.nn.contrastive import nt_xent
from neurotome.nn.vgg3d import VGG3D, VGG3DConfig
from neurotome.synapses.contrastive import cubes_of
from neurotome.synapses.contrastive.task import ContrastTask, CubeStream, collapsed
from neurotome.synapses.contrastive.train import alike, neurons


def test_each_turn_shows_every_cube_once_and_in_another_order():
    stream = CubeStream(7, 14, seed=3)
    seen = [stream[i] for i in range(14)]
    assert sorted(seen[:7]) == sorted(seen[7:]) == list(range(7)) and seen[:7] != seen[7:]
    assert seen == [CubeStream(7, 14, seed=3)[i] for i in range(14)] != [CubeStream(7, 14, seed=4)[i] for i in range(14)]
    assert [CubeStream(3, 5)[i] for i in range(5)] == [0, 1, 2, 0, 1]


def test_turns_go_on_in_the_next_epoch():
    stream, whole = CubeStream(7, 5, seed=3), CubeStream(7, 10, seed=3)
    first = list(stream)
    stream.epoch.fill_(1)
    assert first + list(stream) == list(whole)


def test_the_loss_of_a_collapse_counts_what_is_compared():
    assert collapsed(4) == pytest.approx(math.log(7))
    assert collapsed(4, queue=torch.rand(5, 9)) == pytest.approx(math.log(12))
    all_alike = torch.ones(4, 4, dtype=torch.bool)
    assert collapsed(4, alike=all_alike) == pytest.approx(0, abs=1e-6)
    assert collapsed(2, queue=torch.rand(3, 9), queue_alike=torch.tensor([[True, True, False]] * 2)) == pytest.approx(math.log(4))


def test_crops_that_share_voxels_or_a_neuron_are_no_negatives(crops):
    sites = crops.sites.iloc[[0, 1, 2, 10]].copy()
    sites["crop_z"], sites["crop_y"] = [100, 131, 132, 100], 0
    expected = torch.eye(4, dtype=torch.bool)
    expected[0, 1] = expected[1, 0] = expected[1, 2] = expected[2, 1] = True
    assert torch.equal(alike(sites, 32), expected)
    sites["crop_z"] = [0, 500, 1000, 0]
    sites["pre_id"] = ["v_1", "v_2", "v_1", ""]
    expected = torch.eye(4, dtype=torch.bool)
    expected[0, 2] = expected[2, 0] = True
    assert torch.equal(alike(sites, 32, same_neuron=True), expected)


def test_what_is_alike_in_the_queue_does_not_count():
    first, second = torch.eye(3, 6), torch.eye(3, 6)
    itself = torch.eye(3, dtype=torch.bool)
    plain = nt_xent(first, second, 0.5)
    assert float(nt_xent(first, second, 0.5, queue=first, queue_alike=torch.ones(3, 3, dtype=torch.bool))) == pytest.approx(
        float(plain)
    )
    with_others = nt_xent(first, second, 0.5, queue=first, queue_alike=itself)
    assert float(plain) < float(with_others) < float(nt_xent(first, second, 0.5, queue=first))


def test_neurons_have_numbers_and_unknown_ones_are_not_one(crops):
    sites = crops.sites.iloc[:5].copy()
    sites["pre_id"] = ["v_3", "", "v_3", "", "v_4"]
    found = neurons(sites)
    assert found[0] == found[2] and len(set(found.tolist())) == 4


def test_the_second_view_is_of_a_partner(crops, settings):
    cubes = cubes_of(crops, settings)
    numbers = torch.tensor([0, 1, 2, 3])
    task = ContrastTask(VGG3D(VGG3DConfig(size=16, widths=(4,), convs=(1,))), {}, FitSettings(average=0.0), seen=settings)
    assert torch.equal(task.second_view_of(numbers, step=0), numbers)
    task.partners = torch.tensor([7, 7, 8, 9] + [7] * (len(cubes) - 4))
    drawn = [task.second_view_of(numbers, step=step) for step in range(40)]
    assert all(torch.equal(task.partners[one], task.partners[numbers]) for one in drawn)
    assert len({int(one[0]) for one in drawn}) > 5 and torch.equal(drawn[3], task.second_view_of(numbers, step=3))
