import numpy as np
import pytest
import torch

from neurotome.nn import FitSettings, build
from neurotome.tracing.training.task import LOSSES, NeuriteTask, VoxelCounts


def test_scores_of_a_matrix_by_hand():
    counts = VoxelCounts()
    truth = torch.tensor([1, 1, 1, 1, 1, 0, 0, 0, 0, 0]).bool()
    answer = torch.tensor([1, 1, 1, 0, 0, 1, 0, 0, 0, 0]).bool()
    counts.add(answer, truth)
    assert counts.matrix.tolist() == [[4, 1], [2, 3]] and counts.matrix.dtype == torch.int64
    assert counts.scores() == pytest.approx({"dice": 2 / 3, "recall": 0.6, "precision": 0.75, "iou": 0.5, "accuracy": 0.7})


def test_counts_do_not_overflow_and_nothing_is_not_zero():
    counts = VoxelCounts()
    counts.matrix += 2**33
    counts.add(torch.ones(5), torch.ones(5))
    assert counts.matrix.tolist() == [[2**33, 2**33], [2**33, 2**33 + 5]]
    empty = VoxelCounts()
    empty.add(torch.zeros(5), torch.zeros(5))
    scores = empty.scores()
    assert scores["accuracy"] == 1 and np.isnan([scores[n] for n in ("dice", "recall", "precision", "iou")]).all()


def test_a_task_counts_what_the_network_says_and_begins_anew_each_epoch():
    torch.manual_seed(0)
    network = build("voxresnet", {"widths": (2, 2), "deep_supervision": True})
    task = NeuriteTask(network, LOSSES["weighted_ce_dice"], FitSettings(average=0))
    task.log = lambda *a, **k: None
    y = (torch.rand(2, 1, 8, 8, 8) > 0.8).float()
    batch = (torch.randn(2, 1, 8, 8, 8), y, torch.ones_like(y))
    network.eval()
    value = task.training_step(batch, 0).detach()
    with torch.no_grad():
        alone = float(task.loss(network(batch[0]), y, batch[2]))
        expected = sum(w * float(task.loss(logits, y, batch[2])) for w, logits in network.supervised(batch[0]))
    assert float(value) == pytest.approx(expected, rel=1e-4) and float(value) > alone
    task.validation_step(batch, 0)
    found = task.measured()
    assert tuple(found) == task.measures and found["train_recall"] == found["val_recall"]
    assert np.isnan(task.measured()["val_dice"])
