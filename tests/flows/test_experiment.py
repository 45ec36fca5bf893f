"""Two stacks and a recipe in, a score out; and every recipe that must be refused before anything is trained."""

import copy
import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from neurotome.core import InputError, MissingFileError, RunFolderError, ShapeError, ValueRangeError
from neurotome.datasets import phantom
from neurotome.flows import ExperimentSettings, experiment, read_experiment
from neurotome.io import open_image, open_labels, open_probability, save
from neurotome.neurons import LinkSettings, segment

RECIPES = Path(__file__).parents[2] / "recipes"
EXPERIMENTS = ("experiment_8", "experiment_8_fixed", "experiment_8_agglomerate", "affinities_quadrants", "membrane_quadrants")
STAGE = {
    "network": {"widths": [4, 8]},
    "crop": 32,
    "normalization": "unit",
    "fit": {"steps": 2, "validate_every": 2, "batch": 2, "loggers": ["csv"]},
}
SMOKE = {
    "name": "smoke",
    "validate_on": "d",
    "validate_sections": 4,
    "test_on": "c",
    "stages": [
        {"name": "membrane", "path": "nn3", "from": "image", "train_on": ["a"], **STAGE},
        {"name": "cytoplasm", "path": "nn4", "from": "membrane", "train_on": ["b"], **STAGE},
        {"name": "overlap", "path": "nn5", "from": "membrane", "train_on": ["b"], **STAGE},
    ],
    "segment": {"method": "link", "of": ["cytoplasm", "overlap"], "settings": {"threshold": 100}},
}


def written(path, data):
    path.write_text(yaml.safe_dump(data))
    return path


def changed(**keys):
    """The smoke recipe with values replaced; "stages.1.train_on" reaches inside."""
    data = copy.deepcopy(SMOKE)
    for place, value in keys.items():
        *way, last = place.split("__")
        inner = data
        for step in way:
            inner = inner[int(step) if step.isdigit() else step]
        inner[last] = value
    return data


@pytest.fixture(scope="module")
def stacks(small_phantom, tmp_path_factory):
    folder = tmp_path_factory.mktemp("stacks")
    save(small_phantom.image, folder / "image.ome.tif")
    save(small_phantom.neurons, folder / "truth.ome.tif")
    return str(folder / "image.ome.tif"), str(folder / "truth.ome.tif")


@pytest.fixture(scope="module")
def finished(stacks, tmp_path_factory):
    folder = tmp_path_factory.mktemp("smoke")
    settings = ExperimentSettings(written(folder / "smoke.yaml", SMOKE), *stacks, device="cpu")
    return settings, folder / "out", experiment(settings, folder / "out")


def test_one_command_leaves_everything(finished):
    _, out, shown = finished
    assert {p.name for p in out.iterdir()} >= {
        "run.json", "quadrants", "models", "predicted", "boundary.ome.zarr", "neurons.ome.zarr", "neurons.csv", "scores.json",
        "errors.csv", "objects.csv", "report.html",
    }  # fmt: skip
    assert {p.name for p in (out / "models").iterdir()} == {"membrane", "cytoplasm", "overlap"}
    assert all((out / "models" / name / "report.html").is_file() for name in ("membrane", "cytoplasm", "overlap"))
    assert {p.name for p in (out / "predicted").iterdir()} == {
        "membrane-b", "membrane-c", "membrane-d", "cytoplasm-c", "overlap-c",
    }  # fmt: skip
    record = json.loads((out / "run.json").read_text())
    assert record["status"] == "done" and record["config"]["experiment"] == "smoke"
    assert {"train membrane", "train cytoplasm", "train overlap", "segment", "score"} <= set(record["seconds"])
    scores = json.loads((out / "scores.json").read_text())
    ours, reference = {"adapted_rand_error", "voi_split", "voi_merge"}, {"split_errors", "merge_errors", "ari_all_voxels"}
    assert {s["metric"] for s in shown} >= ours | reference | {"foreground_precision", "foreground_recall"}
    for support in ("full", "full; truth components"):
        assert {s["metric"] for s in scores if s["support"] == support} >= ours | reference


def test_each_network_learns_where_the_recipe_says(finished, small_phantom):
    _, out, _ = finished
    pixels, ids = small_phantom.image.read(), small_phantom.neurons.read()
    for quadrant, rows, columns in (("a", slice(64, None), slice(64, None)), ("b", slice(64), slice(64, None))):
        assert np.array_equal(open_image(out / "quadrants" / f"{quadrant}-image.ome.zarr").read(), pixels[:, rows, columns])
        assert np.array_equal(open_labels(out / "quadrants" / f"{quadrant}-truth.ome.zarr").read(), ids[:, rows, columns])
    # To validate, the four sections in the middle of ten.
    assert np.array_equal(open_image(out / "quadrants" / "d-image.ome.zarr").read(), pixels[3:7, 64:, :64])
    seen = {name: json.loads((out / "models" / name / "card.json").read_text())["trained_on"] for name in ("membrane", "overlap")}
    inputs = json.loads((out / "models" / "overlap" / "run.json").read_text())["inputs"]
    assert len(seen["membrane"]) == len(seen["overlap"]) == 1, "the validation quadrant is not trained on"
    assert seen["membrane"][0].startswith("a-image") and "sections 0:10" in seen["membrane"][0]
    assert any("membrane-b" in path for path in inputs) and not any("quadrants/a-" in path for path in inputs)


def test_the_segmentation_is_that_of_the_joined_maps(finished):
    _, out, _ = finished
    maps = open_probability(out / "boundary.ome.zarr")
    assert maps.channels == ("cytoplasm", "overlap") and not maps.read(("overlap",))[0, -1].any()
    for channel in maps.channels:
        answer = open_probability(out / "predicted" / f"{channel}-c" / "boundary.ome.zarr").read()[0]
        assert np.array_equal(maps.read((channel,))[0, :-1], answer[:-1])
    expected = segment(maps, "link", settings=LinkSettings(threshold=100)).labels.read()
    assert np.array_equal(open_labels(out / "neurons.ome.zarr").read(), expected)


def test_again_changes_nothing_and_another_one_is_refused(finished):
    settings, out, shown = finished
    before = (out / "models" / "membrane" / "weights.safetensors").stat().st_mtime_ns
    assert experiment(settings, out) == shown
    assert (out / "models" / "membrane" / "weights.safetensors").stat().st_mtime_ns == before
    with pytest.raises(RunFolderError, match=r"config.budget is 1.0 there and 0.5 now"):
        experiment(ExperimentSettings(settings.recipe, settings.image, settings.truth, budget=0.5), out)


def test_interrupted_it_goes_on_where_it_stopped(finished, tmp_path):
    settings, first, shown = finished

    class StoppedError(Exception):
        pass

    trained = 0

    def stop(what, done, total):
        nonlocal trained
        trained += what == "predict" and done == 0
        if trained == 4:  # membrane has answered for b, c and d: this is cytoplasm
            raise StoppedError

    with pytest.raises(StoppedError):
        experiment(settings, tmp_path / "out", progress=stop)
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert record["status"] == "failed" and record["done"][-1] == "train cytoplasm"
    assert experiment(settings, tmp_path / "out") == shown
    assert np.array_equal(*(open_labels(out / "neurons.ome.zarr").read() for out in (first, tmp_path / "out")))


def test_budget_minutes_and_sections(stacks, tmp_path):
    """A third of the steps; the minutes by the steps; only some sections."""
    data = changed(segment={"method": "agglomerate", "of": ["membrane"]}, sections="1:9")
    data["stages"] = [{**data["stages"][0], "fit": {**STAGE["fit"], "steps": 6}}]
    recipe = written(tmp_path / "one.yaml", data)
    experiment(ExperimentSettings(recipe, *stacks, budget=1 / 3, sections="2:8", device="cpu"), tmp_path / "out")
    record = json.loads((tmp_path / "out" / "models" / "membrane" / "run.json").read_text())
    assert record["config"]["fit"]["steps"] == 2 and record["config"]["fit"]["validate_every"] == 2
    assert open_labels(tmp_path / "out" / "neurons.ome.zarr").grid.shape == (6, 64, 64)
    with pytest.raises(InputError, match=r"Budget 0.5 and 3 minutes.*one of the two"):
        ExperimentSettings(recipe, *stacks, budget=0.5, minutes=3)
    with pytest.raises(ValueRangeError, match="Budget 0"):
        ExperimentSettings(recipe, *stacks, budget=0)


def test_bad_stacks_are_found_before_anything_is_written(stacks, tmp_path):
    recipe = written(tmp_path / "smoke.yaml", SMOKE)
    for sections, message in (("0:3", "at least 4 of them"), ("5:20", "Sections 5:20 of a stack of 10"), ("1-4", "sections")):
        with pytest.raises((ShapeError, InputError), match=message):
            experiment(ExperimentSettings(recipe, *stacks, sections=sections), tmp_path / "out")
    odd = phantom.make(phantom.PhantomSpec(shape=(10, 127, 128), seed=3))
    save(odd.image, tmp_path / "odd.ome.tif")
    save(odd.neurons, tmp_path / "odd-truth.ome.tif")
    with pytest.raises(ShapeError, match="127 x 128 pixels"):
        experiment(
            ExperimentSettings(recipe, str(tmp_path / "odd.ome.tif"), str(tmp_path / "odd-truth.ome.tif")), tmp_path / "out"
        )
    with pytest.raises(ShapeError):
        experiment(ExperimentSettings(recipe, stacks[0], str(tmp_path / "odd-truth.ome.tif")), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_shipped_experiments_are_valid(name):
    for quick in (False, True):
        config = read_experiment(RECIPES / f"{name}.yaml", quick=quick)
        assert config.name == name and config.test_on == "c" and config.split == "quadrants"


def test_experiment_8_is_that_of_the_reference():
    config = read_experiment(RECIPES / "experiment_8.yaml")
    membrane, cytoplasm, overlap = config.stages
    assert [(s.path, s.source, s.train_on) for s in config.stages] == [
        ("nn3", "image", ("a",)), ("nn4", "membrane", ("b",)), ("nn5", "membrane", ("b",)),
    ]  # fmt: skip
    assert [s.fit["steps"] for s in config.stages] == [200_000, 200_000, 198_000]
    for stage in config.stages:
        assert stage.family == "generator" and stage.network["legacy"] and stage.network["kind"] == "resnet"
        assert stage.translation.model == "pix2pix" and stage.translation.loss == "mse" and stage.translation.gan_weight == 0
        assert {k: stage.fit[k] for k in ("optimizer", "learning_rate", "beta1", "batch", "schedule", "average")} == {
            "optimizer": "adam", "learning_rate": 2e-4, "beta1": 0.5, "batch": 1, "schedule": "constant", "average": 0,
        }  # fmt: skip
    assert overlap.network["sections"] == 2 and membrane.network["sections"] == cytoplasm.network["sections"] == 1
    assert config.segment.settings == {"threshold": 127, "bridge": "overlap", "erosions": 10, "skeletonise": True, "grow": 0}
    assert config.answers(membrane) == ("b", "c", "d") and config.answers(overlap) == ("c",)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            {"stages__1__train_on": ["a"]},
            r"'cytoplasm' trains on answers of 'membrane' for quadrant a, sections all.*allow_in_sample",
        ),
        ({"stages__1__train_on": ["b", "c"]}, "'cytoplasm' trains on quadrant c, which is test_on"),
        ({"stages__0__train_on": ["d"]}, "'membrane' trains on quadrant d, which is validate_on"),
        ({"validate_on": "c"}, "quadrant c both validates and tests"),
        ({"stages__1__from": "membrain"}, "'cytoplasm' is from 'membrain', which is neither image nor an earlier stage"),
        ({"stages__1__image_channel": "overlap"}, "image_channel 'overlap', 'membrane' has membrane"),
        ({"stages__1__name": "membrane"}, "stage name 'membrane' is taken"),
        ({"stages__0__network": {"width": 3}}, r"'membrane': Network 'unet2d' has no option width"),
        ({"stages__0__fit": {"step": 3}}, r"'membrane': .*option of fit 'step'"),
        ({"stages__0__loss": "mse2"}, r"'membrane': .*loss 'mse2'"),
        ({"stages__0__augmentation": {"preset": "flop"}}, "preset 'flop'"),
        ({"stages__0__crop": 33}, "Crop 33 px"),
        ({"segment__of": ["cytoplasma"]}, "segment is of 'cytoplasma', which is no stage"),
        ({"segment__method": "links"}, "'links'"),
        ({"segment__settings": {"erosion": 3}}, "'erosion'"),
        ({"sections": "3-9"}, "sections"),
        ({"split": "halves"}, "split"),
        ({"tset_on": "c"}, "tset_on"),
        ({"stages__0__volumes": [{"image": "a", "truth": "b", "truth_is": "instances", "train": "0:1"}]}, "has volumes"),
        ({"stages__2__quick": {"network": {"widths": 3, "sectoins": 2}}}, "sectoins"),
    ],
)
def test_what_is_wrong_with_a_recipe_is_said(tmp_path, wrong, message):
    with pytest.raises(InputError, match=message):
        read_experiment(written(tmp_path / "e.yaml", changed(**wrong)))


def test_all_that_is_wrong_is_said_at_once(tmp_path):
    data = changed(stages__0__fit={"step": 3}, stages__1__train_on=["a"], segment__of=["x"], validate_on="c")
    with pytest.raises(InputError) as caught:
        read_experiment(written(tmp_path / "e.yaml", data))
    for message in ("option of fit", "allow_in_sample", "no stage", "both validates and tests"):
        assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_in_sample_training_can_be_allowed(tmp_path):
    data = changed(stages__1__train_on=["a"], stages__1__allow_in_sample=True)
    assert read_experiment(written(tmp_path / "e.yaml", data)).stages[1].train_on == ("a",)


def test_a_third_stage_is_in_sample_through_the_second(tmp_path):
    data = changed()
    data["stages"].append({"name": "again", "channels": ["inside"], "from": "cytoplasm", "train_on": ["a"], **STAGE})
    with pytest.raises(InputError, match="'again' trains on answers of 'membrane' for quadrant a"):
        read_experiment(written(tmp_path / "e.yaml", data))


def test_no_recipe(tmp_path):
    with pytest.raises(MissingFileError, match=r"Experiment '.*none.yaml' does not exist"):
        read_experiment(tmp_path / "none.yaml")


@pytest.mark.exhaustive
@pytest.mark.timeout(1800)
@pytest.mark.xfail(reason="the aim of the specification, not reached: 0.73 (fixed), 0.16 (agglomerate) at 600 steps")
@pytest.mark.parametrize("name", ["experiment_8_fixed", "experiment_8_agglomerate"])
def test_quick_variants_reconstruct_the_phantom(name, tmp_path):
    """Quadrant c in one segment would have an error of 0.75."""
    tissue = phantom.make(phantom.PhantomSpec(shape=(16, 256, 256), seed=1))
    save(tissue.image, tmp_path / "image.ome.tif")
    save(tissue.neurons, tmp_path / "truth.ome.tif")
    settings = ExperimentSettings(
        RECIPES / f"{name}.yaml", str(tmp_path / "image.ome.tif"), str(tmp_path / "truth.ome.tif"), quick=True, device="cpu"
    )
    shown = experiment(settings, tmp_path / "out")
    assert all(s["value"] < 0.1 for s in shown if s["metric"] == "adapted_rand_error")
