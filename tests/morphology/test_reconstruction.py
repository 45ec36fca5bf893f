import json

import numpy as np
import pandas as pd
import pytest
import torch

from neurotome.core import InputError, ModelCard, Skeleton
from neurotome.datasets.neuron_shapes import grown
from neurotome.io import load_arrays
from neurotome.measure.occupancy import occupancy_scores, overlap, threshold_sweep
from neurotome.morphology.encoders import ShapeEncoder
from neurotome.morphology.occupancy import GridSettings, voxelise
from neurotome.morphology.reconstruction import reconstruct, reconstructions
from neurotome.morphology.thresholds import ThresholdChoice
from neurotome.nn.occupancy.residual import VoxelAutoencoder, VoxelAutoencoderConfig

SETTINGS = GridSettings(size=16)


@pytest.fixture(scope="module")
def neurons() -> list[Skeleton]:
    return [grown(kind, seed) for kind in ("stellate", "bipolar") for seed in (1, 0)]


@pytest.fixture(scope="module")
def encoder(neurons) -> ShapeEncoder:
    """A network that has seen these neurons for a second, so that its probabilities are spread."""
    torch.manual_seed(0)
    network = VoxelAutoencoder(VoxelAutoencoderConfig(grid=16, width=4))
    grids = torch.from_numpy(np.stack([voxelise(n, SETTINGS).data for n in neurons])).float()[:, None]
    descent = torch.optim.Adam(network.parameters(), 0.01)
    for _ in range(30):
        descent.zero_grad()
        torch.nn.functional.binary_cross_entropy_with_logits(network(grids), grids, pos_weight=torch.tensor(4.0)).backward()
        descent.step()
    return encoder_of(network.eval(), SETTINGS)


def encoder_of(network, settings) -> ShapeEncoder:
    card = ModelCard(
        "tiny",
        "voxel_autoencoder",
        {},
        ("occupied",),
        (0.0, 0.0, 0.0),
        "none",
        (0, 0, 0),
        segmentation={"threshold": 0.55},
        frame=settings.to_json(),
        weights_sha256="abc",
    )
    return ShapeEncoder(network, card, settings)


def test_scores_are_those_of_each_grid_at_the_threshold_of_the_model(neurons, encoder):
    found = reconstruct(neurons, encoder, keep=None)
    assert found.threshold == 0.55
    assert list(found.table.index) == sorted(n.name for n in neurons)
    assert [one.name for one in found.kept] == list(found.table.index)
    for one in found.kept:
        by_hand = occupancy_scores(one.probability.data > np.float32(0.55), one.truth.data, voxel_nm=one.truth.frame.voxel_nm)
        assert found.table.loc[one.name].to_dict() == by_hand
    sweep = threshold_sweep([one.probability.data for one in found.kept], [one.truth.data for one in found.kept])
    pd.testing.assert_frame_equal(found.curve, sweep)
    assert found.histogram.occupied.sum() == pytest.approx(np.mean([one.truth.data.sum() for one in found.kept]))
    assert found.curve.f1.max() > 0.5
    assert found.model == {"model": "tiny", "weights_sha256": "abc", "source": "latent"}
    assert found.scores["f1"] == found.table.f1.mean()


def test_a_threshold_chosen_on_some_neurons_is_reported_on_others_unchanged(neurons, encoder):
    validation, test = neurons[:2], neurons[2:]
    choice = reconstruct(validation, encoder).choice()
    assert choice.threshold == choice.curve.threshold[choice.curve.f1.argmax()]
    assert reconstruct(test, encoder, threshold=choice).threshold == choice.threshold
    with pytest.raises(InputError, match="chose the threshold"):
        reconstruct(neurons, encoder, threshold=choice)
    assert isinstance(choice, ThresholdChoice)


def test_files_hold_the_numbers_of_every_figure(neurons, encoder, tmp_path):
    name = neurons[0].name
    found = reconstruct(neurons, encoder, keep=[name])
    paths = found.write(tmp_path / "reconstruction")
    assert [path.name for path in paths] == ["scores.csv", "curve.csv", "histogram.csv", "reconstruction.json", "examples.npz"]
    assert pd.read_csv(paths[0], index_col="neuron_id").f1.to_numpy() == pytest.approx(found.table.f1.to_numpy())
    assert pd.read_csv(paths[1]).f1.to_numpy() == pytest.approx(found.curve.f1.to_numpy())
    assert pd.read_csv(paths[2]).occupied.sum() == pytest.approx(found.histogram.occupied.sum())
    read = json.loads(paths[3].read_text())
    assert read["curve"]["f1"] == found.curve.f1.tolist()
    assert read["scores"]["f1"]["mean"] == found.table.f1.mean()
    assert read["scores"]["f1"]["low"] <= read["scores"]["f1"]["mean"] <= read["scores"]["f1"]["high"]
    stored = load_arrays(paths[4], "names", "truth", "probability")
    assert stored["names"].tolist() == [name]
    truth, above = np.unpackbits(stored["truth"][0], axis=-1).astype(bool), stored["probability"][0] / 255 > found.threshold
    assert overlap(above, truth).f1 == found.table.f1[name]
    first = [path.read_bytes() for path in paths]
    assert [path.read_bytes() for path in reconstruct(neurons, encoder, keep=[name]).write(tmp_path / "again")] == first


def test_compared_voxels_add_up_to_the_scores(neurons, encoder):
    one = next(reconstructions(neurons, encoder))
    drawn = json.loads(json.dumps(one.compared(0.5).to_json()))
    hit, missed, added = len(drawn["both"]), len(drawn["missed"]), len(drawn["added"])
    assert drawn["iou"] == hit / (hit + missed + added)
    assert drawn["f1"] == pytest.approx(one.scores(0.5)["f1"])


def test_the_box_of_a_picture_holds_all_voxels_and_a_border(neurons, encoder):
    one = next(reconstructions(neurons, encoder))
    compared = one.compared(0.5)
    voxels = np.concatenate([compared.both, compared.missed, compared.added])
    assert (compared.box[0] <= voxels.min(0)).all() and (compared.box[1] > voxels.max(0)).all()
    assert len(voxels) == (one.truth.data | one.above(0.5)).sum()


def test_soft_grids_are_scored_against_what_is_occupied(neurons, encoder):
    soft = encoder_of(encoder.network, SETTINGS.but(mode="soft"))
    one = next(reconstructions(neurons, soft))
    assert (one.truth.data == voxelise(neurons[0], SETTINGS).data).all()


def test_what_cannot_be_reconstructed_is_refused(neurons, encoder):
    with pytest.raises(InputError, match="No neurons"):
        reconstruct([], encoder)
    with pytest.raises(InputError, match="Two neurons are called"):
        reconstruct([neurons[0], neurons[0]], encoder)
    with pytest.raises(InputError, match="No neuron is called 'nobody'"):
        reconstruct(neurons[:1], encoder, keep=["nobody"])
